"""Row scopes: what is wrong with one at compile time, whom it lets see what, and that nothing goes round it."""

from __future__ import annotations

import inspect
import types
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues, place_of
from loom.application.rest.compile import compile_interface
from loom.application.rest.operations import OPERATIONS
from loom.application.rest.row_scope import RowScope, compile_scope, is_scoped
from loom.application.rest.scoped_repository import ScopedRepository
from loom.core import Forbidden, Principal, Unauthenticated, UseCase, col, principal, schema_of
from loom.domain.expr import Expr
from loom.ports.persistence import Repository
from loom.rest import RestInterface, RestRoute, auto_crud
from tests.unit.rest.rest_shop import NothingBound, Ping, compiled
from tests.unit.rest.tenants import OURS, Note, NoteInterface, State


def interface_of(options: dict[str, Any]) -> Any:
    body = {"prefix": "/x", "auto": True, **options}
    return types.new_class("Made", (RestInterface[Note],), {}, lambda namespace: namespace.update(body))


def issues_of(options: dict[str, Any]) -> list[tuple[str, str]]:
    made = interface_of(options)
    issues = Issues()
    compile_interface(made, issues, NothingBound())
    return [(issue.code, issue.message) for issue in issues.found]


def scope_of(expr: Expr) -> RowScope:
    made = interface_of({"scope": expr})
    issues = Issues()
    found = compile_scope(made, schema_of(Note), place_of(made), issues)
    issues.raise_if_any()
    assert found is not None
    return found


def bound(expr: Expr, **claims: object) -> str:
    return repr(scope_of(expr).bound(Principal(subject="ann", claims=claims)).where)


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"scope": col("tenant") == principal.tenant_id}, "LOOM-REST-043", "col('tenant') does not exist"),
        ({"scope": col("text") == 7}, "LOOM-REST-043", "joins string with int"),
        ({"scope": col("text")}, "LOOM-REST-043", "a condition is needed"),
        ({"scope": col("owner.name") == principal.subject}, "LOOM-REST-043", "does not exist"),
        ({"scope": True}, "LOOM-REST-013", "scope is True"),
        (
            {"scope": col("text") == "x", "auto": False, "routes": (RestRoute(use_case=Ping, method="GET"),)},
            "LOOM-REST-043",
            "scope has no effect without auto",
        ),
    ],
)
def test_a_wrong_scope_is_an_issue(options: dict[str, Any], code: str, told: str) -> None:
    [(found, message)] = issues_of(options)
    assert found == code
    assert told in message


def test_a_public_interface_cannot_ask_who_calls() -> None:
    found = issues_of({"scope": col("text") == principal.subject, "public": True})
    assert {code for code, _ in found} == {"LOOM-REST-044"}


def test_a_scope_of_constants_may_be_public() -> None:
    assert issues_of({"scope": col("state") == State.OPEN, "public": True}) == []


def test_claims_take_the_place_of_the_caller() -> None:
    assert bound(col("text") == principal.subject) == "(col('text') == 'ann')"
    assert bound(principal.level >= col("priority"), level=3) == "(3 >= col('priority'))"
    assert bound(col("priority") == principal.org.level, org={"level": 2}) == "(col('priority') == 2)"
    assert bound(col("state").is_in([State.OPEN]), x=1) == "col('state').is_in(['open'])"


def test_a_claim_is_read_as_its_column() -> None:
    assert bound(col("tenant_id") == principal.tenant_id, tenant_id=str(OURS)) == f"(col('tenant_id') == {OURS!r})"


@pytest.mark.parametrize("claim", ["nonsense", 7, None, [str(OURS)], {"id": 1}])
def test_a_claim_that_its_column_could_not_hold_lets_nobody_in(claim: object) -> None:
    with pytest.raises(Forbidden):
        bound(col("tenant_id") == principal.tenant_id, tenant_id=claim)


@pytest.mark.parametrize("claim", [2**63, -(2**70), 1.5, 1e300, float("inf"), float("nan"), True, "1.0"])
def test_so_does_a_number_beyond_its_column(claim: object) -> None:
    with pytest.raises(Forbidden):
        bound(col("priority") == principal.level, level=claim)


def test_without_the_claim_nobody_is_let_in() -> None:
    with pytest.raises(Forbidden, match="the caller has no claim tenant_id"):
        bound(col("tenant_id") == principal.tenant_id)


def test_nobody_is_inside_a_scope_that_asks_who_calls() -> None:
    with pytest.raises(Unauthenticated):
        scope_of(col("text") == principal.subject).bound(None)


def test_every_generated_operation_is_scoped() -> None:
    (plan,) = compiled([NoteInterface])
    assert len(plan.routes) >= len(OPERATIONS)
    assert all(is_scoped(use_case) for use_case in plan.use_cases)


def test_so_is_what_is_derived_from_one_and_nothing_else() -> None:
    class Create(auto_crud(Note).create):  # type: ignore[misc]
        """Create, but otherwise."""

    class Count(UseCase[Note, int]):
        async def execute(self) -> int:
            return await self.main_repo.count()

    class Own(RestInterface[Note]):
        prefix = "/notes"
        auto = True
        scope = col("tenant_id") == principal.tenant_id
        routes = (
            RestRoute(use_case=Create, method="POST", status_code=201),
            RestRoute(use_case=Count, method="GET", path="/count"),
        )

    (plan,) = compiled([Own])
    scoped = {route.use_case.name: is_scoped(route.use_case.use_case) for route in plan.routes}
    assert scoped == {
        "ListNote": True,
        "GetNote": True,
        "UpdateNote": True,
        "DeleteNote": True,
        "Create": True,
        "Count": False,
    }


def test_the_fields_that_a_scope_settles_may_be_left_out() -> None:
    (plan,) = compiled([NoteInterface])
    command = next(route.command for route in plan.routes if route.method == "POST")
    assert command is not None
    required = {entry.name: entry.required for entry in schema_of(command).fields}
    assert required == {"tenant_id": False, "text": True, "state": False, "priority": False}


def test_no_method_of_a_repository_goes_round_the_scope() -> None:
    """A method that the port gains, or an argument, is to be scoped before this passes again."""
    port = {
        name: method for base in Repository.__mro__ for name, method in vars(base).items() if not name.startswith("_")
    }
    own = {name: method for name, method in vars(ScopedRepository).items() if not name.startswith("_")}
    methods = {name for name, method in port.items() if inspect.isfunction(method)}
    assert methods == {name for name in own if name not in {each.name for each in attrs.fields(ScopedRepository)}}
    for name in methods:
        wanted, given = inspect.signature(port[name]), inspect.signature(own[name])
        assert list(wanted.parameters) == list(given.parameters), name
