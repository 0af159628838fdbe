"""Projections compiled: what is computed over which relation, with checked expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.models import has_order
from loom.application.predicates import folded, plain_expression, store_faults, stored_kind, value_kind
from loom.application.relations import RelationPlan, total_order
from loom.domain.errors import InvalidInput
from loom.domain.expr import Binary, Expr, Literal, Op, Ref, Root, children
from loom.domain.expr_check import check_predicate
from loom.domain.model import ModelSchema, ProjectionSchema
from loom.domain.query import Sort
from loom.domain.schema import Kind, LogicalType

_NUMBERS = frozenset({Kind.INT, Kind.FLOAT, Kind.DECIMAL})
_WITHOUT_ENDS = frozenset({Kind.BOOL, Kind.UUID, Kind.BYTES})


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ProjectionPlan:
    """A compiled projection.

    Attributes:
        kind: one of ``AGGREGATES``.
        value: the expression over columns of the relation's target; ``None`` for counts and for whole entities.
        where: only rows for which it is true; ``None`` for all.
        type: of the value; ``None`` where it is an entity.
    """

    name: str
    kind: str
    relation: RelationPlan
    value: Expr | None
    where: Expr | None
    sort: tuple[Sort, ...]
    type: LogicalType | None


def compile_projection(
    schema: ModelSchema, projection: ProjectionSchema, relations: Mapping[str, RelationPlan], issues: Issues
) -> ProjectionPlan | None:
    """Compile one projection, or record what is wrong with it."""
    before = len(issues.found)
    options = projection.options
    what = f"{schema.name}.{projection.name}"
    relation = relations.get(options.relation)
    if relation is None:
        declared = [each.name for each in schema.relations]
        if options.relation not in declared:
            issues.unknown("LOOM-CORE-054", schema.model, f"{what}: relation", options.relation, declared)
        return None
    target = relation.target
    where = _checked(what, schema, target, options.where, issues)
    value = _checked(what, schema, target, None if options.value is None else options.value.is_null(), issues)
    found = None if value is None else children(value)[0] if children(value) else None
    logical = _KINDS[options.kind](what, schema, projection, target, found, issues)
    sort = total_order(what, schema, target, options.sort, issues) if options.sort else relation.sort
    if len(issues.found) > before:
        return None
    return ProjectionPlan(
        name=projection.name,
        kind=options.kind,
        relation=relation,
        value=found,
        where=where,
        sort=sort,
        type=logical,
    )


def kind_in(target: ModelSchema) -> Callable[[Ref], Kind]:
    """The kinds of a model's own columns, for checks of expressions over them."""

    def kind_of(ref: Ref) -> Kind:
        field = target.field(ref.ref_path[0]) if ref.ref_root is Root.COLUMN and len(ref.ref_path) == 1 else None
        if field is None:
            raise LookupError(ref)
        return stored_kind(field)

    return kind_of


def _checked(what: str, schema: ModelSchema, target: ModelSchema, expr: Expr | None, issues: Issues) -> Expr | None:
    if expr is None:
        return None
    before = len(issues.found)
    try:
        plain = plain_expression(expr)
    except InvalidInput as error:
        issues.add("LOOM-CORE-054", schema.model, f"{what}: {error}")
        return None
    kind_of = kind_in(target)
    for fault in check_predicate(plain, kind_of):
        if fault.unknown:
            issues.unknown("LOOM-CORE-054", schema.model, f"{what}: column", fault.unknown, target.names)
        else:
            issues.add("LOOM-CORE-054", schema.model, f"{what}: {fault.message}")
    if len(issues.found) == before:
        for message in store_faults(plain, kind_of):
            issues.add("LOOM-CORE-054", schema.model, f"{what}: {message}")
    return folded(plain) if len(issues.found) == before else None


_Check = Callable[[str, ModelSchema, ProjectionSchema, ModelSchema, Expr | None, Issues], LogicalType | None]


def _plain(kind: Kind) -> _Check:
    def check(
        what: str, schema: ModelSchema, given: ProjectionSchema, target: ModelSchema, value: Expr | None, issues: Issues
    ) -> LogicalType | None:
        if given.type is None or given.type.kind is not kind or given.type.nullable:
            told = f"{what} is {given.options.kind} of {given.options.relation}, but its annotation is not {kind.value}"
            issues.add("LOOM-CORE-054", schema.model, told, f"annotate it with {kind.value}")
        return given.type

    return check


def _first(
    what: str, schema: ModelSchema, given: ProjectionSchema, target: ModelSchema, value: Expr | None, issues: Issues
) -> LogicalType | None:
    if given.options.value is not None:
        return _of_value(what, schema, given, target, value, issues)
    if given.type is not None or given.shape.name != target.name:
        told = f"{what} is the first of {given.options.relation}, but its annotation is {given.shape.name}"
        issues.add("LOOM-CORE-054", schema.model, told, f'annotate it with {target.name} | None, or give value="..."')
    elif not given.shape.nullable:
        issues.add("LOOM-CORE-054", schema.model, f"{what} may be none", f"annotate it with {target.name} | None")
    return None


def _of_value(
    what: str, schema: ModelSchema, given: ProjectionSchema, target: ModelSchema, value: Expr | None, issues: Issues
) -> LogicalType | None:
    options = given.options
    if options.value is None:
        remedy = f'write projection({options.kind}="{options.relation}", value="...")'
        issues.add("LOOM-CORE-054", schema.model, f"{what} is {options.kind} of what?", remedy)
    if value is None or given.type is None:
        return None
    found = value_kind(value, kind_in(target))
    wanted = Kind.INT if _counts(given.type) else Kind.STRING if given.type.kind is Kind.ENUM else given.type.kind
    may_be_null = options.kind != "sum"
    if found is not wanted or not has_order(given.type):
        told = f"{what}: {options.value!r} is {found.value if found else 'null'}, but its annotation is not"
        issues.add("LOOM-CORE-054", schema.model, told, "annotate it with the type of the value")
    elif options.kind == "sum" and found not in _NUMBERS:
        issues.add("LOOM-CORE-054", schema.model, f"{what}: {found.value} cannot be summed", "sum a number")
    elif options.kind in ("min", "max") and found in _WITHOUT_ENDS:
        told = f"{what}: {found.value} has no {options.kind} in PostgreSQL"
        issues.add(
            "LOOM-CORE-054", schema.model, told, f'use exists or first: projection(first="{options.relation}", ...)'
        )
    elif may_be_null and not given.type.nullable:
        told = f"{what} may be none, because there may be no {options.relation}"
        issues.add("LOOM-CORE-054", schema.model, told, "add | None to its annotation")
    natural = _scale(value, target)
    scale = natural if options.scale is None else options.scale
    if found is Kind.DECIMAL and scale < natural:
        told = f"{what} has scale={scale}, but {options.value!r} has {natural} digits after the point"
        issues.add("LOOM-CORE-054", schema.model, told, f"let it have {natural}")
    return attrs.evolve(given.type, scale=scale) if found is Kind.DECIMAL else given.type


_KINDS: Mapping[str, _Check] = {
    "count": _plain(Kind.INT),
    "exists": _plain(Kind.BOOL),
    "first": _first,
    "sum": _of_value,
    "min": _of_value,
    "max": _of_value,
}


def plain_value(plan: ProjectionPlan) -> Callable[[Any], Any]:
    """Makes the plain value of what a store calculated: databases give sums in wider types than their parts."""
    return _WIDTHS.get(plan.type.kind, _same)(plan.type) if plan.type is not None else _same(plan)


_Widths = Callable[[LogicalType], Callable[[Any], Any]]
_WIDTHS: Mapping[Kind, _Widths] = {
    Kind.INT: lambda logical: int,
    Kind.FLOAT: lambda logical: float,
    Kind.DECIMAL: lambda logical: lambda value: Decimal(value).quantize(Decimal(1).scaleb(-logical.scale)),
}


def _same(_: object) -> Callable[[Any], Any]:
    return lambda value: value


def _counts(logical: LogicalType) -> bool:
    return logical.kind is Kind.ENUM and isinstance(logical.values[0], int)


def _scale(value: Expr, target: ModelSchema) -> int:
    """Decimal places of a value: those of a sum add up to the most of its parts, those of a product to their sum."""
    if isinstance(value, Ref):
        field = target.field(value.ref_path[0])
        return field.type.scale if field is not None and field.type.kind is Kind.DECIMAL else 0
    if isinstance(value, Literal):
        exponent = getattr(value.value, "as_tuple", lambda: None)()
        return max(0, -int(exponent.exponent)) if exponent is not None else 0
    parts = [_scale(part, target) for part in children(value)]
    return sum(parts) if isinstance(value, Binary) and value.op is Op.MUL else max(parts, default=0)
