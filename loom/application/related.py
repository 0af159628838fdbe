"""References across relations inside predicates: ``col("owner.name")``, ``col("notes.title")``.

Where every relation on the way is single the reference is a value, null where there is no such row. Where one of them
holds several, the comparison that the reference stands in is true if it is true for some row at the end of the way, and
false otherwise. ``resolved`` turns both into references that say exactly what a store has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from loom.application.graph import Graph
from loom.application.relations import RelationPlan
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.expr import LOGIC, Binary, Expr, IsIn, IsNull, Like, Not, Ref, Root, refs
from loom.domain.model import FieldSchema, ModelSchema

Path = tuple[RelationPlan, ...]


@attrs.frozen(eq=False, repr=False)
class Related(Ref):
    """The value of a column at the end of single relations; null where there is no row."""

    related_path: Path = attrs.field(kw_only=True)
    related_column: str = attrs.field(kw_only=True)


@attrs.frozen(eq=False, repr=False)
class Inner(Ref):
    """As ``Related``, seen from the rows of the ``Some`` around it; the path may be empty."""

    inner_path: Path = attrs.field(kw_only=True)
    inner_column: str = attrs.field(kw_only=True)


@attrs.frozen(eq=False, repr=False)
class Some(Ref):
    """Whether the operand is true for some row at the end of the path. Never null."""

    some_path: Path = attrs.field(kw_only=True)
    some_operand: Expr = attrs.field(kw_only=True)


def follow(ref: Ref, model: type, graph: Graph | None) -> tuple[Path, FieldSchema]:
    """The relations on the way of a reference, and the field at its end.

    Raises:
        LookupError: it leads nowhere.
    """
    names = ".".join(ref.ref_path).split(".") if ref.ref_root is Root.COLUMN else []
    path: list[RelationPlan] = []
    for name in names[:-1]:
        relation = graph.relations.get(model, {}).get(name) if graph is not None else None
        if relation is None:
            raise LookupError(ref)
        path.append(relation)
        model = relation.target.model
    schema = path[-1].target if path else None
    field = schema.field(names[-1]) if schema is not None and names else None
    if field is None:
        raise LookupError(ref)
    return tuple(path), field


def reachable(schema: ModelSchema, graph: Graph | None) -> Iterator[str]:
    """Names that a predicate may use: own columns, and those of related models."""
    yield from schema.names
    for relation in graph.relations.get(schema.model, {}).values() if graph is not None else ():
        yield from (f"{relation.name}.{name}" for name in relation.target.names)


def is_related(ref: Ref) -> bool:
    """Whether a reference leads beyond its own model."""
    return ref.ref_root is Root.COLUMN and (len(ref.ref_path) > 1 or "." in ref.ref_path[0])


def resolved(expr: Expr, model: type, graph: Graph | None) -> Expr:
    """A checked predicate whose references across relations are spelt out.

    Raises:
        InvalidInput: one comparison speaks of rows at the ends of two ways.
    """
    if isinstance(expr, Binary) and expr.op in LOGIC:
        return Binary(expr.op, resolved(expr.left, model, graph), resolved(expr.right, model, graph))
    if isinstance(expr, Not):
        return Not(resolved(expr.operand, model, graph))
    return _atom(expr, model, graph)


def _atom(expr: Expr, model: type, graph: Graph | None) -> Expr:
    ways = {id(ref): follow(ref, model, graph) for ref in refs(expr) if is_related(ref)}
    heads = dict.fromkeys(head for path, _ in ways.values() if (head := _up_to_several(path)))
    if len(heads) > 1:
        message = f"{expr!r} compares the rows of two relations with each other"
        raise InvalidInput([FieldError(path=("where",), message=message)], subject="query")
    head = next(iter(heads), ())

    def place(ref: Ref) -> Ref:
        if id(ref) not in ways:
            return ref
        path, field = ways[id(ref)]
        if head and path[: len(head)] == head:
            return Inner(Root.COLUMN, ref.ref_path, inner_path=path[len(head) :], inner_column=field.name)
        return Related(Root.COLUMN, ref.ref_path, related_path=path, related_column=field.name)

    placed = _with_refs(expr, place)
    if not head:
        return placed
    return Some(Root.COLUMN, (repr(expr),), some_path=head, some_operand=placed)


def _up_to_several(path: Path) -> Path:
    several = [position for position, relation in enumerate(path) if relation.many]
    return path[: several[-1] + 1] if several else ()


def _with_refs(expr: Expr, place: Callable[[Ref], Ref]) -> Expr:
    if isinstance(expr, Ref):
        return place(expr)
    if isinstance(expr, Binary):
        return Binary(expr.op, _with_refs(expr.left, place), _with_refs(expr.right, place))
    if isinstance(expr, Not | IsNull | IsIn | Like):
        return attrs.evolve(expr, operand=_with_refs(expr.operand, place))
    return expr
