"""Filters and sorts on declared columns: what a query string may ask, and the expression that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import attrs

from loom.application.compile import Issues
from loom.application.conversion.faults import Faults, not_a_choice
from loom.application.models import has_order
from loom.application.rest.declare import RestInterface
from loom.application.rest.plan import FilterPlan, ParameterPlan
from loom.application.rest.text import text_reader
from loom.domain.errors import Place
from loom.domain.expr import Expr, Ref, col
from loom.domain.model import FieldSchema, ModelSchema, schema_of
from loom.domain.query import Sort
from loom.domain.schema import Kind, LogicalType, logical_type

Build = Callable[[Ref, Any], Expr]

_EQUALITY: Mapping[str, tuple[Build, str]] = {
    "": (lambda column, value: column == value, "{} is this value"),
    "ne": (lambda column, value: column != value, "{} is another value"),
    "in": (lambda column, value: column.is_in(value), "{} is one of these; may be given several times"),
}
_ORDER: Mapping[str, tuple[Build, str]] = {
    "lt": (lambda column, value: column < value, "{} is less"),
    "le": (lambda column, value: column <= value, "{} is less or equal"),
    "gt": (lambda column, value: column > value, "{} is greater"),
    "ge": (lambda column, value: column >= value, "{} is greater or equal"),
}
_TEXT: Mapping[str, tuple[Build, str]] = {
    "like": (lambda column, value: column.like(value), "{} fits the pattern: % is any text, _ one character"),
    "ilike": (lambda column, value: column.like(value, ignore_case=True), "the same, whatever the case"),
}
_NULL: tuple[Build, str] = (
    lambda column, value: column.is_null() if value else column.is_not_null(),
    "{} is null (true) or not (false)",
)
_IS: Mapping[str, tuple[Build, str]] = {"": _EQUALITY[""]}
_OPERATORS: Mapping[Kind, Mapping[str, tuple[Build, str]]] = {
    Kind.BOOL: _IS,
    Kind.ENUM: _EQUALITY,
    Kind.UUID: _EQUALITY,
    Kind.STRING: {**_EQUALITY, **_ORDER, **_TEXT},
}
_PATTERN = LogicalType(kind=Kind.STRING, python=str)
_FLAG = LogicalType(kind=Kind.BOOL, python=bool)


def compile_filters(
    interface: type[RestInterface[Any]], row: ModelSchema, where: Place, issues: Issues
) -> tuple[FilterPlan, ...]:
    """The filters of the declared columns: ``?stock=5``, ``?stock.ge=5``, ``?name.like=A%25``, ``?released.null=true``.

    A column has the operators that its type has; several filters hold together.
    """
    found: list[FilterPlan] = []
    for name in interface.filters:
        entry = _column(name, "filters", interface, row, where, issues)
        if entry is not None:
            found.extend(_filters(entry))
    return tuple(found)


def compile_sorts(
    interface: type[RestInterface[Any]], row: ModelSchema, where: Place, issues: Issues
) -> ParameterPlan | None:
    """The parameter ``sort``: ``?sort=-price,name``; ``None`` where no column is declared."""
    columns = [name for name in interface.sorts if _column(name, "sorts", interface, row, where, issues) is not None]
    if not columns:
        return None
    choices = [choice for name in columns for choice in (name, f"-{name}")]
    return ParameterPlan(
        name="sort",
        type=logical_type(list[Literal[tuple(choices)]]),  # type: ignore[misc]
        required=False,
        read=_sort_reader(choices),
        separated=True,
        description="columns to order by, from first to last; a minus sign orders downwards",
    )


def _column(
    name: str, option: str, interface: type[RestInterface[Any]], row: ModelSchema, where: Place, issues: Issues
) -> FieldSchema | None:
    entry = row.field(name) or (_related(name, row) if option == "filters" else None)
    if entry is None:
        known = [*row.names, *(_reachable(row) if option == "filters" else ())]
        issues.unknown("LOOM-REST-019", where, f"{interface.__name__}.{option}: column", name, known)
    elif not has_order(entry.type) or entry.type.kind is Kind.BYTES:
        issues.add(
            "LOOM-REST-020",
            where,
            f"{interface.__name__}.{option}: {name} is {entry.type.kind.value}, which cannot be compared",
            "leave it out",
        )
        return None
    return entry


def _related(name: str, row: ModelSchema) -> FieldSchema | None:
    """The column at the end of relations, under its whole name; null where one on the way may be none."""
    nullable, (*path, last) = False, name.split(".")
    for part in path:
        relation = next((each for each in row.relations if each.name == part), None)
        if relation is None:
            return None
        nullable, row = nullable or relation.shape.nullable, schema_of(relation.target)
    entry = row.field(last)
    if entry is None:
        return None
    return attrs.evolve(entry, name=name, type=attrs.evolve(entry.type, nullable=nullable or entry.type.nullable))


def _reachable(row: ModelSchema) -> list[str]:
    return [f"{relation.name}.{name}" for relation in row.relations for name in schema_of(relation.target).names]


def _filters(entry: FieldSchema) -> Iterable[FilterPlan]:
    plain = attrs.evolve(entry.type, nullable=False)
    for suffix, (build, description) in _OPERATORS.get(plain.kind, {**_EQUALITY, **_ORDER}).items():
        # A pattern may be longer than what it is to find.
        yield _filter(entry.name, suffix, _PATTERN if suffix in _TEXT else plain, build, description)
    if entry.type.nullable:
        yield _filter(entry.name, "null", _FLAG, *_NULL)


def _filter(column: str, suffix: str, logical: LogicalType, build: Build, description: str) -> FilterPlan:
    listed = suffix == "in"
    read = text_reader(logical)
    if read is None:
        raise TypeError(f"{logical.kind.value} has no text form")
    parameter = ParameterPlan(
        name=f"{column}.{suffix}" if suffix else column,
        type=LogicalType(kind=Kind.ARRAY, python=list, item=logical) if listed else logical,
        required=False,
        read=read,
        repeated=listed,
        description=description.format(column),
    )
    reference = col(column)
    return FilterPlan(parameter=parameter, build=lambda value: build(reference, value))


def _sort_reader(choices: list[str]) -> Callable[[str], tuple[Sort, ...]]:
    known = {choice: Sort(choice.lstrip("-"), choice.startswith("-")) for choice in choices}

    def read(text: str) -> tuple[Sort, ...]:
        parts = text.split(",")
        faults = [error for part in parts if part not in known for error in not_a_choice(part, choices).errors]
        if faults:
            raise Faults(faults)
        return tuple(known[part] for part in parts)

    return read
