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
from typing import Any, TypeVar, dataclass_transform, overload

import attrs

from loom.domain.naming import snake_case
from loom.domain.schema import LogicalType, logical_type

T = TypeVar("T")
_OPTIONS = "loom.field"
_REQUIRED: Any = attrs.NOTHING


@attrs.frozen(kw_only=True)
class FieldOptions:
    """What a declaration adds to a field's type. ``references`` is ``"table.column"``."""

    key: bool = False
    autoincrement: bool = False
    unique: bool = False
    index: bool = False
    max_length: int | None = None
    precision: int = 38
    scale: int = 9
    references: str | None = None
    relation: bool = False


@attrs.frozen(kw_only=True)
class FieldSchema:
    """One field of a model: its name, logical type, options, and whether a value must be given."""

    name: str
    type: LogicalType
    options: FieldOptions
    required: bool
    default: object = None


@attrs.frozen(kw_only=True)
class RelationSchema:
    """A reference from one model to another. ``foreign_key`` is a field of the side that holds it."""

    name: str
    target: Any
    many: bool
    foreign_key: str


@attrs.frozen(kw_only=True)
class ModelSchema:
    """Everything that adapters need to know about a model, in declaration order."""

    model: type
    name: str
    table: str
    fields: tuple[FieldSchema, ...]
    relations: tuple[RelationSchema, ...] = ()
    timestamps: bool = False

    @property
    def keys(self) -> tuple[FieldSchema, ...]:
        """The fields that identify a row, in order."""
        return tuple(field for field in self.fields if field.options.key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all stored fields, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, or ``None``."""
        return next((field for field in self.fields if field.name == name), None)


@attrs.frozen(kw_only=True)
class EntityOptions:
    """What ``entity`` was told. ``key`` and ``fields`` serve classes that hold no loom declarations themselves."""

    table: str
    timestamps: bool = False
    key: tuple[str, ...] = ()
    fields: Mapping[str, FieldOptions] = attrs.field(factory=dict)


# Weak, so that classes made in tests can be collected; beside the class, so that a domain module stays untouched.
_ENTITIES: weakref.WeakKeyDictionary[type, EntityOptions] = weakref.WeakKeyDictionary()
_SCHEMAS: weakref.WeakKeyDictionary[type, ModelSchema] = weakref.WeakKeyDictionary()


@overload
def field(*, max_length: int | None = ..., precision: int = ..., scale: int = ..., unique: bool = ...,
          index: bool = ..., references: str | None = ...) -> Any: ...  # fmt: skip
@overload
def field(*, default: T, max_length: int | None = ..., precision: int = ..., scale: int = ..., unique: bool = ...,
          index: bool = ..., references: str | None = ...) -> T: ...  # fmt: skip
@overload
def field(*, factory: Callable[[], T], max_length: int | None = ..., precision: int = ..., scale: int = ...,
          unique: bool = ..., index: bool = ..., references: str | None = ...) -> T: ...  # fmt: skip
def field(
    *,
    default: Any = _REQUIRED,
    factory: Callable[[], Any] | None = None,
    max_length: int | None = None,
    precision: int = 38,
    scale: int = 9,
    unique: bool = False,
    index: bool = False,
    references: str | None = None,
) -> Any:
    """Declare a field with more than its type.

    Args:
        default: value where none is given.
        factory: makes the value where none is given; use it for lists and dictionaries.
        max_length: longest string in characters, or byte string in bytes.
        precision: decimal digits of a ``Decimal`` in all.
        scale: decimal digits of a ``Decimal`` after the point.
        unique: no two rows share the value.
        index: the column is searched often.
        references: ``"table.column"`` that the value must exist in.
    """
    options = FieldOptions(
        max_length=max_length,
        precision=precision,
        scale=scale,
        unique=unique,
        index=index,
        references=references,
    )
    return _attribute(options, default, factory)


def key(
    *,
    autoincrement: bool = False,
    max_length: int | None = None,
    references: str | None = None,
) -> Any:
    """Declare a field that identifies the row. Several keys in one model make a composite key.

    Args:
        autoincrement: the store gives the number at creation; commands then carry none.
        max_length: longest string in characters.
        references: ``"table.column"`` that the value must exist in.
    """
    options = FieldOptions(key=True, autoincrement=autoincrement, max_length=max_length, references=references)
    return _attribute(options, _REQUIRED, None)


def relation(*, foreign_key: str) -> Any:
    """Declare a reference to another entity, loaded only by a profile; ``None`` or empty until then.

    Args:
        foreign_key: the field that holds the reference: of this model for a single relation, of the other model for
            a list.
    """
    metadata = {_OPTIONS: FieldOptions(relation=True), "loom.foreign_key": foreign_key}
    return attrs.field(default=None, metadata=metadata, eq=False)


@overload
def entity(cls: type[T], /) -> type[T]: ...
@overload
def entity(*, table: str = ..., timestamps: bool = ..., key: str | Sequence[str] = ...,
           fields: Mapping[str, FieldOptions] | None = ...) -> Callable[[type[T]], type[T]]: ...  # fmt: skip
@dataclass_transform(kw_only_default=True, field_specifiers=(field, key, relation, attrs.field))
def entity(
    cls: type[T] | None = None,
    /,
    *,
    table: str = "",
    timestamps: bool = False,
    key: str | Sequence[str] = (),
    fields: Mapping[str, FieldOptions] | None = None,
) -> object:
    """Declare a class to be an entity: ``@entity``, ``@entity(table="products")``, or ``entity(Product)`` for a class
    that is not to be edited.

    A plain class becomes a slotted, keyword-only attrs class. An attrs class stays exactly as it is, and ``key`` and
    ``fields`` say what its own body does not (a field called ``id`` is the key where nothing else is said).

    Args:
        cls: the class, where nothing but the class is given; ``entity(Product)`` is ``entity()(Product)``.
        table: name of the table, resource and lake table; the class name in snake case where nothing is said, as it
            stands and not in the plural (``OrderLine`` is ``order_line``).
        timestamps: keep ``created_at`` and ``updated_at`` (UTC); added to a plain class that lacks them.
        key: the key fields of a class that cannot be edited.
        fields: options of fields of a class that cannot be edited.
    """
    names = (key,) if isinstance(key, str) else tuple(key)

    def declare(target: type[T]) -> type[T]:
        named = table or snake_case(target.__name__)
        # Not attrs.has(): a plain subclass of an attrs class has yet to be made one.
        if "__attrs_attrs__" not in vars(target):
            target = _defined(target, timestamps=timestamps)
        _ENTITIES[target] = EntityOptions(table=named, timestamps=timestamps, key=names, fields=dict(fields or {}))
        _SCHEMAS.pop(target, None)
        return target

    return declare if cls is None else declare(cls)


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


def _attribute(options: FieldOptions, default: Any, factory: Callable[[], Any] | None) -> Any:
    if factory is not None:
        return attrs.field(factory=factory, metadata={_OPTIONS: options})
    return attrs.field(default=default, metadata={_OPTIONS: options})


def _defined(cls: type[T], *, timestamps: bool) -> type[T]:
    if timestamps:
        for name in ("created_at", "updated_at"):
            if name not in cls.__annotations__:
                cls.__annotations__[name] = dt.datetime | None
                setattr(cls, name, None)
    return attrs.define(cls, kw_only=True)


def _read_schema(cls: type) -> ModelSchema:
    if not attrs.has(cls):
        raise TypeError(f"{cls.__qualname__} is not an attrs class")
    declared = _ENTITIES.get(cls)
    hints = typing.get_type_hints(cls, include_extras=True)
    fields: list[FieldSchema] = []
    relations: list[RelationSchema] = []
    for attribute in attrs.fields(cls):
        options = _options(attribute, declared)
        if options.relation:
            relations.append(_relation(attribute, hints[attribute.name]))
        else:
            fields.append(_field(cls, attribute, hints[attribute.name], options))
    return ModelSchema(
        model=cls,
        name=cls.__name__,
        table=declared.table if declared else cls.__name__.lower(),
        fields=tuple(_with_default_key(fields, is_entity=declared is not None)),
        relations=tuple(relations),
        timestamps=declared.timestamps if declared else False,
    )


def _options(attribute: attrs.Attribute[Any], declared: EntityOptions | None) -> FieldOptions:
    options: FieldOptions = attribute.metadata.get(_OPTIONS, FieldOptions())
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


def _relation(attribute: attrs.Attribute[Any], hint: Any) -> RelationSchema:
    arguments = [part for part in typing.get_args(hint) if part is not type(None)]
    many = typing.get_origin(hint) in (list, tuple) or any(
        typing.get_origin(part) in (list, tuple) for part in arguments
    )
    target = arguments[0] if arguments else hint
    return RelationSchema(
        name=attribute.name,
        target=typing.get_args(target)[0] if typing.get_args(target) else target,
        many=many,
        foreign_key=attribute.metadata["loom.foreign_key"],
    )


def _with_default_key(fields: list[FieldSchema], *, is_entity: bool) -> list[FieldSchema]:
    if not is_entity or any(field.options.key for field in fields):
        return fields
    return [
        attrs.evolve(field, options=attrs.evolve(field.options, key=True)) if field.name == "id" else field
        for field in fields
    ]
