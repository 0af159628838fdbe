"""Relations compiled: which columns of which tables hold them together, or what is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from loom.application.compile import Issues
from loom.application.links import made_link
from loom.application.models import form_of, has_order
from loom.domain.model import FieldSchema, ModelSchema, RelationSchema, is_entity
from loom.domain.query import Sort
from loom.domain.relations import Link
from loom.domain.schema import Kind

Schemas = Mapping[type, ModelSchema]
_JOINED_BY = frozenset({Kind.INT, Kind.STRING, Kind.UUID, Kind.DATE, Kind.DATETIME, Kind.ENUM, Kind.DECIMAL})


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ForeignKey:
    """A field of one model that refers to a column of another; ``on_delete`` is empty where a relation says nothing."""

    holder: ModelSchema
    field: str
    target: ModelSchema
    column: str
    on_delete: str
    said_by: str


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LinkPlan:
    """The rows between two models: ``source`` and ``target`` are the columns that refer to each."""

    schema: ModelSchema
    source: str
    target: str


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RelationPlan:
    """A compiled relation: rows of ``target`` whose ``target_column`` equals ``source_column``, or by way of a link.

    Attributes:
        container: ``tuple`` or ``list`` of several; ``None`` of one.
        sort: the total order of several.
        foreign_keys: what the relation says about the tables.
    """

    name: str
    source: ModelSchema
    target: ModelSchema
    source_column: str
    target_column: str
    link: LinkPlan | None
    container: type | None
    sort: tuple[Sort, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def many(self) -> bool:
        """Whether there may be several."""
        return self.container is not None


def compile_relation(
    schema: ModelSchema, relation: RelationSchema, schemas: Schemas, issues: Issues
) -> RelationPlan | None:
    """Compile one relation, or record what is wrong with it."""
    before = len(issues.found)
    target = _target(schema, relation, schemas, issues)
    if target is None:
        return None
    made = _Ends(schema, relation, target, schemas, issues)
    found = made.direct() if relation.options.through is None else made.linked()
    sort = total_order(f"{schema.name}.{relation.name}", schema, target, relation.options.sort, issues)
    if found is None or len(issues.found) > before:
        return None
    source_column, target_column, link, keys = found
    return RelationPlan(
        name=relation.name,
        source=schema,
        target=target,
        source_column=source_column,
        target_column=target_column,
        link=link,
        container=relation.shape.container,
        sort=sort,
        foreign_keys=keys,
    )


def total_order(
    what: str, schema: ModelSchema, target: ModelSchema, names: Sequence[str], issues: Issues
) -> tuple[Sort, ...]:
    """The order that a declaration asks for, with the key of the target at its end."""
    order = {name.removeprefix("-"): Sort(name.removeprefix("-"), name.startswith("-")) for name in names}
    for name in order:
        field = target.field(name)
        if field is None:
            issues.unknown("LOOM-CORE-057", schema.model, f"{what}: sort column", name, target.names)
        elif not has_order(field.type):
            message = f"{what}: sort column {name!r} is {field.type.kind.value}, which has no order"
            issues.add("LOOM-CORE-057", schema.model, message, "sort by a scalar")
    return (*order.values(), *(Sort(key.name) for key in target.keys if key.name not in order))


_Found = tuple[str, str, LinkPlan | None, tuple[ForeignKey, ...]]


@attrs.frozen(eq=False, repr=False)
class _Ends:
    """Finds what ties the two ends of one relation together."""

    schema: ModelSchema
    relation: RelationSchema
    target: ModelSchema
    schemas: Schemas
    issues: Issues

    def direct(self) -> _Found | None:
        own = None if self.relation.many else self._key_of(self.schema, self.target)
        holder, one = (self.schema, self.target) if own is not None else (self.target, self.schema)
        field = own or self._key_of(self.target, self.schema)
        if field is None:
            self._nothing()
            return None
        key = self._foreign_key("LOOM-CORE-051", holder, field, one, self.relation.options.on_delete)
        if key is None:
            return None
        self._check_null(field, own is not None)
        if own is not None:
            return field.name, key.column, None, (key,)
        return key.column, field.name, None, (key,)

    def linked(self) -> _Found | None:
        code, options = "LOOM-CORE-053", self.relation.options
        link = self._link()
        if link is None:
            return None
        if not self.relation.many:
            self._issue(code, "goes through a link and is single", "annotate it with tuple[X, ...]")
            return None
        through = options.through
        if isinstance(through, Link) and options.on_delete:
            told = "has on_delete, but rows of a link table go with either end"
            self._issue("LOOM-CORE-052", told, "declare an entity for the link")
        named = (through.source, through.target) if isinstance(through, Link) else ()
        source = self._link_field(link, self.schema, named[0] if named else options.foreign_key, "foreign_key", None)
        target = self._link_field(link, self.target, named[1] if named else options.target_key, "target_key", source)
        if source is None or target is None:
            return None
        if source is target:
            self._issue(code, f"uses {link.name}.{source.name} for both ends", "name two fields of the link")
            return None
        first = self._foreign_key(code, link, source, self.schema, "" if named else options.on_delete)
        second = self._foreign_key(code, link, target, self.target, "")
        if first is None or second is None:
            return None
        plan = LinkPlan(schema=link, source=source.name, target=target.name)
        return first.column, second.column, plan, (first, second)

    def _key_of(self, holder: ModelSchema, one: ModelSchema) -> FieldSchema | None:
        """The field of ``holder`` that is meant; ``None`` where there is none, or where it is not clear which."""
        name = self.relation.options.foreign_key
        if name:
            return holder.field(name)
        found = _referring(holder, one)
        return found[0] if len(found) == 1 else None

    def _nothing(self) -> None:
        name, many = self.relation.options.foreign_key, self.relation.many
        if name:
            holder = self.target if many else self.schema
            what = f"{self._what}: foreign key of {holder.name}"
            self.issues.unknown("LOOM-CORE-051", self.schema.model, what, name, holder.names)
            return
        found = [] if many else [f"{self.schema.name}.{each.name}" for each in _referring(self.schema, self.target)]
        found += [f"{self.target.name}.{each.name}" for each in _referring(self.target, self.schema)]
        if found:
            remedy = 'say which: relation(foreign_key="...")'
            self._issue("LOOM-CORE-051", f"could go by any of {', '.join(found)}", remedy)
        else:
            told = f"names no foreign key, and none between {self.schema.name} and {self.target.name} is declared"
            self._issue("LOOM-CORE-051", told, 'write relation(foreign_key="...")')

    def _foreign_key(
        self, code: str, holder: ModelSchema, field: FieldSchema, one: ModelSchema, on_delete: str
    ) -> ForeignKey | None:
        column = self._referenced(code, holder, field, one)
        if column is None:
            return None
        if form_of(column) != form_of(field) or field.type.kind not in _JOINED_BY:
            kinds = f"{form_of(field)} and {form_of(column)}"
            told = f"joins {holder.name}.{field.name} with {one.name}.{column.name}, which are {kinds}"
            self._issue(code, told, "give both the same scalar type")
            return None
        return ForeignKey(
            holder=holder, field=field.name, target=one, column=column.name, on_delete=on_delete, said_by=self._what
        )

    def _referenced(self, code: str, holder: ModelSchema, field: FieldSchema, one: ModelSchema) -> FieldSchema | None:
        if field.options.references is None:
            if len(one.keys) == 1:
                return one.keys[0]
            told = f"goes by {holder.name}.{field.name}, but the key of {one.name} has several fields"
            remedy = f'give {one.name} a unique field, and refer to that: field(references="{one.table}.column")'
            self._issue(code, told, remedy)
            return None
        table, _, column = field.options.references.rpartition(".")
        if table != one.table:
            told = f"goes by {holder.name}.{field.name}, which references {field.options.references!r}"
            self._issue(code, told, f"name a field that references {one.table!r}")
            return None
        return one.field(column)  # that it exists is checked with the field itself

    def _check_null(self, field: FieldSchema, own: bool) -> None:
        if self.relation.many:
            if self.relation.shape.nullable:
                told = "may be null, but several are never null: there are none, and the tuple is empty"
                self._issue("LOOM-CORE-051", told, "remove None from the annotation")
            return
        if not own and not field.options.unique and self.target.keys != (field,):
            told = f"is single, but several rows of {self.target.name} may have the same {field.name}"
            self._issue("LOOM-CORE-051", told, f"make {field.name} unique, or annotate tuple[{self.target.name}, ...]")
        elif not self.relation.shape.nullable and (not own or field.type.nullable or self.target.deleted_at):
            told = f"may be none, but its annotation is {self.target.name}"
            self._issue("LOOM-CORE-051", told, f"annotate it with {self.target.name} | None")

    def _link(self) -> ModelSchema | None:
        through = self.relation.options.through
        if isinstance(through, Link):
            made = made_link(self.schema.model, self.relation)
            if made is None:
                told = f"goes through the table {through.table!r}, but not both ends have a key of one field"
                self._issue("LOOM-CORE-053", told, "declare an entity for the link")
            return None if made is None else self.schemas.get(made)
        if isinstance(through, str):
            named = {schema.name: schema for schema in self.schemas.values()}
            if through not in named:
                self.issues.unknown(
                    "LOOM-CORE-053", self.schema.model, f"{self._what}: link entity", through, sorted(named)
                )
            return named.get(through)
        found = self.schemas.get(through) if isinstance(through, type) else None
        if found is None:
            name = getattr(through, "__name__", repr(through))
            self._issue("LOOM-CORE-053", f"goes through {name}, which is not among the entities", "discover its module")
        return found

    def _link_field(
        self, link: ModelSchema, one: ModelSchema, name: str, option: str, taken: FieldSchema | None
    ) -> FieldSchema | None:
        if name:
            field = link.field(name)
            if field is None:
                what = f"{self._what}: {option} of {link.name}"
                self.issues.unknown("LOOM-CORE-053", self.schema.model, what, name, link.names)
            return field
        found = [each for each in _referring(link, one) if each is not taken]
        if len(found) == 1:
            return found[0]
        told = f"has {len(found)} fields of {link.name} that reference {one.table!r} to go by"
        self._issue("LOOM-CORE-053", told, f'say which: relation(..., {option}="...")')
        return None

    def _issue(self, code: str, told: str, remedy: str) -> None:
        self.issues.add(code, self.schema.model, f"{self._what} {told}", remedy)

    @property
    def _what(self) -> str:
        return f"{self.schema.name}.{self.relation.name}"


def _target(schema: ModelSchema, relation: RelationSchema, schemas: Schemas, issues: Issues) -> ModelSchema | None:
    what = f"{schema.name}.{relation.name}"
    try:
        cls = relation.target
    except LookupError:
        names = [each.name for each in schemas.values()]
        if relation.shape.name in names:
            told = f"{what} refers to {relation.shape.name}, and several entities are called so"
            issues.add("LOOM-CORE-050", schema.model, told, "import the class that is meant, and annotate it with that")
            return None
        issues.unknown("LOOM-CORE-050", schema.model, f"{what}: entity", relation.shape.name, names)
        return None
    if not is_entity(cls):
        told = f"{what} refers to {relation.shape.name}, which is not an entity"
        issues.add("LOOM-CORE-050", schema.model, told, "annotate it with an entity, or with tuple[Entity, ...]")
        return None
    if cls not in schemas:
        issues.add("LOOM-CORE-050", schema.model, f"{what} refers to {cls.__name__}, which has faults itself")
    return schemas.get(cls)


def _referring(holder: ModelSchema, one: ModelSchema) -> list[FieldSchema]:
    prefix = f"{one.table}."
    return [each for each in holder.fields if (each.options.references or "").startswith(prefix)]
