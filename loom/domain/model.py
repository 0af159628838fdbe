"""Models: ``entity``, ``command``, ``key``, ``field``, ``relation`` and the schema that they declare.

A model is an attrs class. The decorators are thin: they run ``attrs.define`` where the class is not an attrs class
yet, and record a schema beside the class. A class that a service already has is recorded without being edited:
``entity(table="products")(Product)``.
"""

from __future__ import annotations

import datetime as dt
import typing
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar, dataclass_transform, overload

import attrs

from loom.domain.constraints import DELETED_AT, TIMESTAMPS, VERSION, Index
from loom.domain.expr import Expr
from loom.domain.fields import OPTIONS, FieldOptions, field, key, names_of, projection, relation
from loom.domain.frozen import frozen
from loom.domain.hints import Missing, Shape, is_missing, resolved_hints, shape_of
from loom.domain.naming import snake_case
from loom.domain.relations import ProjectionOptions, RelationOptions
from loom.domain.schema import LogicalType, logical_type

__all__ = [
    "EntityOptions",
    "FieldOptions",
    "FieldSchema",
    "ModelSchema",
    "ProjectionSchema",
    "RelationSchema",
    "command",
    "entity",
    "entity_of",
    "field",
    "field_options",
    "hints_of",
    "is_entity",
    "key",
    "projection",
    "relation",
    "schema_of",
]

T = TypeVar("T")


@frozen(kw_only=True)
class FieldSchema:
    """One field of a model: its name, logical type, options, and whether a value must be given."""

    name: str
    type: LogicalType
    options: FieldOptions
    required: bool
    default: object = None


@frozen(kw_only=True)
class RelationSchema:
    """A reference from one model to others. ``shape`` says which class, how many, and whether there may be none."""

    name: str
    shape: Shape
    options: RelationOptions

    @property
    def many(self) -> bool:
        """Whether the value is a tuple or a list."""
        return self.shape.container is not None

    @property
    def target(self) -> type:
        """The class that is referred to.

        Raises:
            LookupError: no entity of that name is declared.
        """
        return _entity_class(self.shape.core)


@frozen(kw_only=True)
class ProjectionSchema:
    """A value computed over a relation. Its ``type`` is ``None`` where the value is an entity."""

    name: str
    shape: Shape
    type: LogicalType | None
    options: ProjectionOptions

    @property
    def target(self) -> Any:
        """The class of the value, where that is an entity.

        Raises:
            LookupError: no entity of that name is declared.
        """
        return _entity_class(self.shape.core)


@frozen(kw_only=True)
class ModelSchema:
    """Everything that adapters need to know about a model, in declaration order.

    ``version`` and ``deleted_at`` are the names of the fields that the store keeps for them; empty where it keeps none.
    ``cache`` is for how many seconds a read cache may keep a row; 0 where it may not.
    """

    model: type
    name: str
    table: str
    fields: tuple[FieldSchema, ...]
    relations: tuple[RelationSchema, ...] = ()
    projections: tuple[ProjectionSchema, ...] = ()
    profiles: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, hash=False)
    timestamps: bool = False
    version: str = ""
    deleted_at: str = ""
    checks: Mapping[str, Expr] = attrs.field(factory=dict, eq=False)
    indexes: tuple[Index, ...] = ()
    cache: float = 0

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """Names of the fields that the store itself sets, whatever it is given: timestamps, version, deletion mark."""
        times = TIMESTAMPS if self.timestamps else ()
        return (*times, *(name for name in (self.version, self.deleted_at) if name))

    @cached_property
    def keys(self) -> tuple[FieldSchema, ...]:
        """The fields that identify a row, in order."""
        return tuple(field for field in self.fields if field.options.key)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all stored fields, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, or ``None``."""
        return next((field for field in self.fields if field.name == name), None)


@frozen(kw_only=True)
class EntityOptions:
    """What ``entity`` was told. ``key`` and ``fields`` serve classes that hold no loom declarations themselves."""

    table: str
    timestamps: bool = False
    version: str = ""
    deleted_at: str = ""
    key: tuple[str, ...] = ()
    fields: Mapping[str, FieldOptions] = attrs.field(factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    checks: Mapping[str, Expr] = attrs.field(factory=dict)
    indexes: tuple[Index, ...] = ()
    cache: float = 0


# Weak, so that classes made in tests can be collected; beside the class, so that a domain module stays untouched.
_ENTITIES: weakref.WeakKeyDictionary[type, EntityOptions] = weakref.WeakKeyDictionary()
_SCHEMAS: weakref.WeakKeyDictionary[type, ModelSchema] = weakref.WeakKeyDictionary()


@overload
def entity(cls: type[T], /) -> type[T]: ...
@overload
def entity(*, table: str = ..., timestamps: bool = ..., version: bool | str = ..., soft_delete: bool = ...,
           key: str | Sequence[str] = ..., fields: Mapping[str, FieldOptions] | None = ...,
           profiles: Mapping[str, Sequence[str]] | None = ..., checks: Mapping[str, Expr] | None = ...,
           indexes: Sequence[Index] = ..., cache: float = ...) -> Callable[[type[T]], type[T]]: ...  # fmt: skip
@dataclass_transform(kw_only_default=True, field_specifiers=(field, key, relation, projection, attrs.field))
def entity(  # noqa: PLR0913 - one for each thing that a table may be
    cls: type[T] | None = None,
    /,
    *,
    table: str = "",
    timestamps: bool = False,
    version: bool | str = False,
    soft_delete: bool = False,
    key: str | Sequence[str] = (),
    fields: Mapping[str, FieldOptions] | None = None,
    profiles: Mapping[str, Sequence[str]] | None = None,
    checks: Mapping[str, Expr] | None = None,
    indexes: Sequence[Index] = (),
    cache: float = 0,
) -> object:
    """Declare a class to be an entity: ``@entity``, ``@entity(table="products")``, or ``entity(Product)`` for a class
    that is not to be edited.

    A plain class becomes a slotted, keyword-only attrs class. An attrs class stays exactly as it is, and ``key`` and
    ``fields`` say what its own body does not (a field called ``id`` is the key where nothing else is said).

    A subclass of an entity has a table of its own, with the fields of its base and what the store keeps in them:
    timestamps, version and mark of deletion. Checks, indexes, profiles and ``cache`` are each class's own.

    Args:
        cls: the class, where nothing but the class is given; ``entity(Product)`` is ``entity()(Product)``.
        table: name of the table, resource and lake table; the class name in snake case where nothing is said, as it
            stands and not in the plural (``OrderLine`` is ``order_line``).
        timestamps: keep ``created_at`` and ``updated_at`` (UTC); added to a plain class that lacks them.
        version: keep a number that counts the changes of a row from 1, so that two writers do not overwrite each other
            (``expected_version``, ``If-Match``); the name of its field where it is not ``version``. Added to a plain
            class that lacks it.
        soft_delete: deleting a row sets its ``deleted_at`` (UTC), and from then on nothing reads or changes it. Added
            to a plain class that lacks it. A unique value of a deleted row may be used again, its key may not.
        key: the key fields of a class that cannot be edited.
        fields: options of fields of a class that cannot be edited.
        profiles: what is loaded together, by name: ``{"with_details": ("owner", "notes.author", "notes_count")}``.
            A path goes on into what it loads, and may end with a profile of the entity there.
        checks: what must hold for every row, by name: ``{"price_positive": col("price") > 0}``. As in SQL, what is
            null holds. The store refuses a row that breaks one with ``CheckFailed``.
        indexes: indexes and uniqueness over several columns, each made by ``index``.
        cache: for how many seconds a read cache may keep a row; it is forgotten earlier when something is written.
    """
    options = EntityOptions(
        table=table,
        timestamps=timestamps,
        version=(VERSION if version else "") if isinstance(version, bool) else version,
        deleted_at=DELETED_AT if soft_delete else "",
        key=names_of(key),
        fields=dict(fields or {}),
        profiles={name: names_of(paths) for name, paths in (profiles or {}).items()},
        checks=dict(checks or {}),
        indexes=tuple(indexes),
        cache=cache,
    )
    return partial(_declared, options=options) if cls is None else _declared(cls, options)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, attrs.field))
def command(cls: type[T]) -> type[T]:
    """Declare a class to be a command: a frozen, keyword-only value that asks for something to be done."""
    return cls if "__attrs_attrs__" in vars(cls) else attrs.frozen(cls, kw_only=True)


def is_entity(cls: object) -> bool:
    """Whether ``entity`` has been applied to the class."""
    return isinstance(cls, type) and cls in _ENTITIES


def schema_of(cls: type) -> ModelSchema:
    """The schema of any attrs class: an entity, a command, or a plain class used as a message.

    Raises:
        TypeError: not an attrs class, or a field whose annotation has no logical type; the text names the field.
    """
    found = _SCHEMAS.get(cls)
    if found is None:
        found = _SCHEMAS[cls] = _read_schema(cls)
    return found


def field_options(cls: type) -> dict[str, FieldOptions]:
    """What is declared beside the type of each field of an attrs class; needs no field to have a logical type."""
    declared = _ENTITIES.get(cls)
    return {attribute.name: _options(attribute, declared) for attribute in attrs.fields(cls)}


def told_names(cls: type) -> Mapping[str, Sequence[str]]:
    """The fields that ``entity`` was told of beside the class, by the name of its argument."""
    declared = _ENTITIES[cls]
    return {"key": declared.key, "fields": tuple(declared.fields)}


def hints_of(cls: type) -> dict[str, Any]:
    """The annotations of an attrs class. Those of relations may name entities that the class's module does not import.

    Raises:
        NameError: the annotation of anything else names what its module does not know.
    """
    hints, unknown = resolved_hints(cls, _entity_named)
    if unknown is not None:
        stored = (name for name, options in field_options(cls).items() if not options.loaded)
        if any(is_missing(hints[name]) for name in stored):
            raise unknown
    for attribute in attrs.fields(cls):
        if attribute.type is not None:  # attr.ib(type=int) annotates nothing
            hints.setdefault(attribute.name, attribute.type)
    return hints


def entity_of(table: str) -> type | None:
    """The entity that is stored in a table; ``None`` where there is none, or more than one."""
    return _only([cls for cls, options in _ENTITIES.items() if options.table == table])


def _entity_named(name: str) -> type | None:
    return _only([cls for cls in _ENTITIES if cls.__name__ == name])


def _only(found: Sequence[type]) -> type | None:
    """The one class, or the last of those that a module made of one declaration when it was loaded again."""
    same = len({(cls.__module__, cls.__qualname__, _ENTITIES[cls].table) for cls in found}) == 1
    return found[-1] if same else None


def _entity_class(core: Any) -> type:
    if isinstance(core, type) and issubclass(core, Missing):
        found = _entity_named(core.__name__)
        if found is None:
            raise LookupError(core.__name__)
        return found
    return typing.cast("type", core)


def _declared(cls: type[T], options: EntityOptions) -> type[T]:
    options = _inherited(cls, options)
    # Not attrs.has(): a plain subclass of an attrs class has yet to be made one.
    if "__attrs_attrs__" not in vars(cls):
        cls = _defined(cls, options)
    _ENTITIES[cls] = attrs.evolve(options, table=options.table or snake_case(cls.__name__))
    _SCHEMAS.pop(cls, None)
    return cls


def _inherited(cls: type, options: EntityOptions) -> EntityOptions:
    """What the store keeps in fields of a base entity it keeps in those of the class too, which has them as well."""
    base = next((_ENTITIES[each] for each in cls.__mro__[1:] if each in _ENTITIES), None)
    if base is None:
        return options
    return attrs.evolve(
        options,
        timestamps=options.timestamps or base.timestamps,
        version=options.version or base.version,
        deleted_at=options.deleted_at or base.deleted_at,
        key=options.key or base.key,
        fields={**base.fields, **options.fields},
    )


def _defined(cls: type[T], options: EntityOptions) -> type[T]:
    added: dict[str, tuple[Any, Any]] = {}
    if options.timestamps:
        added |= dict.fromkeys(TIMESTAMPS, (dt.datetime | None, None))
    if options.version:
        added[options.version] = (int, 1)
    if options.deleted_at:
        added[options.deleted_at] = (dt.datetime | None, None)
    for name, (annotation, default) in added.items():
        if name not in cls.__annotations__:
            cls.__annotations__[name] = annotation
            setattr(cls, name, default)
    return attrs.define(cls, kw_only=True)


def _read_schema(cls: type) -> ModelSchema:
    if not attrs.has(cls):
        raise TypeError(f"{cls.__qualname__} is not an attrs class")
    declared = _ENTITIES.get(cls)
    told = declared or EntityOptions(table=cls.__name__.lower())
    hints = hints_of(cls)
    fields: list[FieldSchema] = []
    relations: list[RelationSchema] = []
    projections: list[ProjectionSchema] = []
    for attribute in attrs.fields(cls):
        options = _options(attribute, declared)
        hint = hints.get(attribute.name, Any)
        if options.relation is not None:
            relations.append(RelationSchema(name=attribute.name, shape=shape_of(hint), options=options.relation))
        elif options.projection is not None:
            projections.append(_projection(cls, attribute.name, hint, options.projection))
        else:
            fields.append(_field(cls, attribute, hint, options))
    return ModelSchema(
        model=cls,
        name=cls.__name__,
        table=told.table,
        fields=tuple(_with_default_key(fields, is_entity=declared is not None)),
        relations=tuple(relations),
        projections=tuple(projections),
        profiles=told.profiles,
        timestamps=told.timestamps,
        version=told.version,
        deleted_at=told.deleted_at,
        checks=told.checks,
        indexes=told.indexes,
        cache=told.cache,
    )


def _options(attribute: attrs.Attribute[Any], declared: EntityOptions | None) -> FieldOptions:
    options: FieldOptions = attribute.metadata.get(OPTIONS, FieldOptions())
    if declared is None:
        return options
    options = declared.fields.get(attribute.name, options)
    return attrs.evolve(options, key=True) if attribute.name in declared.key else options


def _field(cls: type, attribute: attrs.Attribute[Any], hint: Any, options: FieldOptions) -> FieldSchema:
    try:
        logical = logical_type(hint, max_length=options.max_length, precision=options.precision, scale=options.scale)
    except TypeError as error:
        raise TypeError(f"{cls.__qualname__}.{attribute.name}: {error}") from error
    plain = not isinstance(attribute.default, attrs.Factory)  # type: ignore[arg-type]
    return FieldSchema(
        name=attribute.name,
        type=logical,
        options=options,
        required=attribute.default is attrs.NOTHING,
        default=attribute.default if plain and attribute.default is not attrs.NOTHING else None,
    )


def _projection(cls: type, name: str, hint: Any, options: ProjectionOptions) -> ProjectionSchema:
    shape = shape_of(hint)
    if shape.is_class:
        return ProjectionSchema(name=name, shape=shape, type=None, options=options)
    try:
        logical = logical_type(hint, precision=options.precision, scale=9 if options.scale is None else options.scale)
    except TypeError as error:
        raise TypeError(f"{cls.__qualname__}.{name}: {error}") from error
    return ProjectionSchema(name=name, shape=shape, type=logical, options=options)


def _with_default_key(fields: list[FieldSchema], *, is_entity: bool) -> list[FieldSchema]:
    if not is_entity or any(field.options.key for field in fields):
        return fields
    return [
        attrs.evolve(field, options=attrs.evolve(field.options, key=True)) if field.name == "id" else field
        for field in fields
    ]
