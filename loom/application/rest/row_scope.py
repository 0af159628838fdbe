"""Row scopes: the predicate of an interface that says which rows a caller sees and writes.

A scope is applied where the generated use cases meet the store: their ``main_repo`` is one that knows no other rows. So
it holds for every one of them, whatever they do with it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from loom.application.compile import Issues
from loom.application.conversion.faults import Faults
from loom.application.rest.declare import RestInterface, RestRoute
from loom.application.rest.reuse import operation_of
from loom.application.rest.scoped_repository import BoundScope, ScopedRepository, plain_value
from loom.application.rest.text import text_reader
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import NARROW, Call, Narrow
from loom.domain.context import Principal
from loom.domain.errors import Forbidden, Place, Unauthenticated
from loom.domain.expr import COMPARISONS, Binary, Expr, IsIn, Literal, Op, Ref, Root, children, refs
from loom.domain.expr_check import check_predicate, literal_kind
from loom.domain.model import ModelSchema
from loom.domain.schema import Kind, LogicalType
from loom.ports.persistence import Repository

Read = Callable[[Any], Any]
Path = tuple[str, ...]
SCOPES_ABOVE: Final = "_loom_scopes_above"
"""Where a nested use case keeps the scopes of its parents."""
SEEN: Final = "_loom_seen"
"""Where a use case keeps the scopes of what it reaches beyond its own rows."""
_NUMBERS: Final = (Kind.INT, Kind.FLOAT, Kind.DECIMAL)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RowScope:
    """A checked scope.

    Attributes:
        expr: over columns and the caller.
        schema: of the rows.
        equal: columns that must equal one value, and that value: ``col("tenant_id") == principal.tenant_id``. They
            are filled in where a new row does not name them.
        readers: turn a claim into what its column holds, by the path of the claim.
    """

    expr: Expr
    schema: ModelSchema
    equal: Mapping[str, Expr]
    readers: Mapping[Path, Read]

    def bound(self, principal: Principal | None) -> BoundScope:
        """The scope of one caller.

        Raises:
            Unauthenticated: nobody is known, and the scope asks for a claim.
            Forbidden: the caller has no such claim, or it is nothing that its column could hold.
        """
        claims: dict[Path, Any] = {}
        for ref in refs(self.expr):
            if ref.ref_root is Root.PRINCIPAL and ref.ref_path not in claims:
                claims[ref.ref_path] = self._claim(ref, principal)
        where = _with_claims(self.expr, claims)
        if check_predicate(where, _type_of(self.schema)):
            raise Forbidden("what is known of the caller does not fit the rows that are asked for")
        values = {name: _value(expr, claims) for name, expr in self.equal.items()}
        return BoundScope.of(self.schema.name, where, values)

    def _claim(self, ref: Ref, principal: Principal | None) -> Any:
        if principal is None:
            raise Unauthenticated("nobody is known to call", remedy="send credentials")
        found: Any = {**principal.claims, "subject": principal.subject}
        for name in ref.ref_path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if literal_kind(found) is None:
            raise Forbidden(f"the caller has no claim {'.'.join(ref.ref_path)} of a single value")
        read = self.readers.get(ref.ref_path)
        try:
            return found if read is None else read(found)
        except Faults as error:
            raise Forbidden(f"the caller's claim {'.'.join(ref.ref_path)} does not fit its column") from error


def compile_scope(
    interface: type[RestInterface[Any]], schema: ModelSchema | None, where: Place, issues: Issues
) -> RowScope | None:
    """Check the scope of an interface; ``None`` where there is none, or an issue was recorded."""
    expr = interface.scope
    if expr is None:
        return None
    if schema is None or not interface.auto:
        issues.add("LOOM-REST-043", where, "scope has no effect without auto", "set auto = True, and name the entity")
        return None
    before = len(issues.found)
    issues.predicate("LOOM-REST-043", where, expr, _type_of(schema), schema.names)
    if len(issues.found) > before:
        return None
    return RowScope(expr=expr, schema=schema, equal=dict(_equal(expr)), readers=dict(_readers(expr, schema)))


def scoped_route(route: RestRoute, scope: RowScope, *, generated: bool) -> RestRoute:
    """The route with its use case inside the scope: a generated one, or one derived from a generated one."""
    if generated or operation_of(route.use_case, scope.schema.model) is not None:
        return attrs.evolve(route, use_case=_scoped(route.use_case, scope), declared_at=route.declared_at)
    return route


def wants_caller(use_case: type) -> bool:
    """Whether the use case sees the rows of a scope that asks who calls."""
    return any(_asks_for_caller(scope.expr) for scope in _scopes(use_case))


def claims_asked(use_cases: Iterable[type]) -> tuple[Path, ...]:
    """The claims that any scope of these use cases asks for: callers who differ in them may see other rows."""
    scopes = [scope for use_case in use_cases for scope in (*_scopes(use_case), *_reached(use_case))]
    asked = {ref.ref_path for scope in scopes for ref in refs(scope.expr) if ref.ref_root is Root.PRINCIPAL}
    return tuple(sorted(asked))


def is_scoped(use_case: type) -> bool:
    """Whether the use case sees only the rows of a scope, or what is below them."""
    return bool(_scopes(use_case))


def _reached(use_case: type) -> Iterable[RowScope]:
    seen = getattr(use_case, SEEN, None)
    return () if seen is None else seen.scopes.values()


def _scopes(use_case: type) -> tuple[RowScope, ...]:
    own: RowScope | None = getattr(use_case, "_loom_row_scope", None)
    above: tuple[RowScope, ...] = getattr(use_case, SCOPES_ABOVE, ())
    return above if own is None else (own, *above)


def _scoped(use_case: type[UseCase[Any, Any]], scope: RowScope) -> type[UseCase[Any, Any]]:
    def main_repo(self: Any) -> ScopedRepository[Any]:
        # Of the class that is scoped, so that one which has its own main_repo keeps it.
        inner = super(made, self).main_repo
        return ScopedRepository(inner, scope.bound(self._scope().context.principal))

    def narrow(call: Call, model: type, rows: Repository[Any]) -> Repository[Any]:
        known = rows if outer is None else outer(call, model, rows)
        if model is not scope.schema.model:
            return known
        return ScopedRepository(known, scope.bound(call.scope.context.principal))

    outer: Narrow | None = getattr(use_case, NARROW, None)
    namespace = {
        "__module__": use_case.__module__,
        "__qualname__": use_case.__qualname__,
        "__doc__": use_case.__doc__,
        "_loom_row_scope": scope,
        NARROW: staticmethod(narrow),
        "main_repo": property(main_repo),
    }
    made: Any = types.new_class(use_case.__name__, (use_case,), {}, lambda body: body.update(namespace))
    found: type[UseCase[Any, Any]] = made
    return found


def _asks_for_caller(expr: Expr) -> bool:
    return any(ref.ref_root is Root.PRINCIPAL for ref in refs(expr))


def _type_of(schema: ModelSchema) -> Callable[[Ref], Kind | None]:
    def type_of(ref: Ref) -> Kind | None:
        if ref.ref_root is Root.PRINCIPAL:
            return None  # whatever the claim holds; it is checked when it is known
        entry = schema.field(ref.ref_path[0]) if ref.ref_root is Root.COLUMN and len(ref.ref_path) == 1 else None
        if entry is None:
            raise LookupError(repr(ref))
        return entry.type.kind

    return type_of


def _equal(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """The columns that must equal something for the whole to hold."""
    if isinstance(expr, Binary) and expr.op is Op.AND:
        yield from _equal(expr.left)
        yield from _equal(expr.right)
    elif isinstance(expr, Binary) and expr.op is Op.EQ:
        for column, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if _is(column, Root.COLUMN) and (isinstance(other, Literal) or _is(other, Root.PRINCIPAL)):
                yield column.ref_path[0], other  # type: ignore[attr-defined]


def _readers(expr: Expr, schema: ModelSchema) -> Iterator[tuple[Path, Read]]:
    """What each claim is read with: as strictly as what a client sends for its column."""
    if isinstance(expr, Binary) and expr.op in COMPARISONS:
        for column, claim in ((expr.left, expr.right), (expr.right, expr.left)):
            if _is(column, Root.COLUMN) and _is(claim, Root.PRINCIPAL):
                entry = schema.field(column.ref_path[0])  # type: ignore[attr-defined]
                read = _claim_reader(attrs.evolve(entry.type, nullable=False)) if entry else None
                if read is not None:
                    yield claim.ref_path, read  # type: ignore[attr-defined]
    for child in children(expr):
        yield from _readers(child, schema)


def _claim_reader(logical: LogicalType) -> Read | None:
    """Claims are what JSON can hold: a UUID or a date is text, and a number may be larger than any column."""
    read = text_reader(logical)
    if read is None:
        return None
    numeric = logical.kind in _NUMBERS

    def claimed(found: Any) -> Any:
        if isinstance(found, str) or (numeric and not isinstance(found, bool)):
            return read(str(found))
        return found

    return claimed


def _is(expr: Expr, root: Root) -> bool:
    return isinstance(expr, Ref) and expr.ref_root is root


def _value(expr: Expr, claims: Mapping[Path, Any]) -> Any:
    return expr.value if isinstance(expr, Literal) else claims[expr.ref_path]  # type: ignore[attr-defined]


def _with_claims(expr: Expr, claims: Mapping[Path, Any]) -> Expr:
    if isinstance(expr, Ref):
        return Literal(plain_value(claims[expr.ref_path])) if expr.ref_root is Root.PRINCIPAL else expr
    if isinstance(expr, Literal):
        return Literal(plain_value(expr.value))
    if isinstance(expr, IsIn):
        return IsIn(_with_claims(expr.operand, claims), tuple(map(plain_value, expr.options)))
    if isinstance(expr, Binary):
        return Binary(expr.op, _with_claims(expr.left, claims), _with_claims(expr.right, claims))
    found = children(expr)
    return attrs.evolve(expr, operand=_with_claims(found[0], claims)) if found else expr  # type: ignore[misc]
