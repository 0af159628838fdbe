"""``Rule``: what must hold before ``execute``. All rules are tried, and all failures are reported together."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.usecase.plan import Call
from loom.domain.absent import Absent
from loom.domain.errors import FieldError, Place
from loom.domain.expr import Expr, Ref, refs
from loom.domain.expr_python import to_python
from loom.domain.model import ModelSchema


class RuleMode(enum.Enum):
    """How the outcome of a rule's function is read."""

    CHECK = "check"
    FORBID = "forbid"
    REQUIRE = "require"


Condition = Expr | Callable[..., object]


@attrs.frozen(kw_only=True)
class Rule:
    """One rule. Begin with ``check``, ``forbid`` or ``require``.

    A rule over a field that a patch did not send is skipped. A failure points at the field named by ``at``, else at
    the first field that the rule reads.
    """

    mode: RuleMode
    condition: Condition
    message: str = ""
    code: str = "rule"
    fields: tuple[Ref, ...] = ()
    parameters: tuple[str, ...] = ()
    target: Ref | None = None

    @classmethod
    def check(cls, *fields: Ref, via: Callable[..., str | None], code: str = "rule") -> Rule:
        """A function of the fields' values that returns what is wrong, or ``None``."""
        return cls(mode=RuleMode.CHECK, condition=via, fields=fields, code=code)

    @classmethod
    def forbid(cls, condition: Condition, *, message: str, code: str = "rule") -> Rule:
        """Fails where the condition is true: an expression over ``F(Command)``, or a function of the values named."""
        return cls(mode=RuleMode.FORBID, condition=condition, message=message, code=code)

    @classmethod
    def require(cls, condition: Condition, *, message: str, code: str = "rule") -> Rule:
        """Fails unless the condition is true; an expression that is null counts as not true."""
        return cls(mode=RuleMode.REQUIRE, condition=condition, message=message, code=code)

    def from_command(self, *fields: Ref) -> Rule:
        """Give the condition the values of these fields of the command."""
        return attrs.evolve(self, fields=fields)

    def from_params(self, *names: str) -> Rule:
        """Give the condition the values of these ``execute`` parameters (loads and exists included)."""
        return attrs.evolve(self, parameters=names)

    def at(self, field: Ref) -> Rule:
        """Point at this field where the rule fails."""
        return attrs.evolve(self, target=field)


def compile_rule(
    rule: Rule, command: ModelSchema | None, names: Iterable[str], where: Place, issues: Issues
) -> Callable[[Call], FieldError | None] | None:
    """Compile one rule into a function from the call to its failure, or record the rule's issues."""
    known = command.names if command else ()
    before = len(issues.found)
    condition = rule.condition
    read = (*rule.fields, *(refs(condition) if isinstance(condition, Expr) else ()))
    for ref in (*read, *((rule.target,) if rule.target is not None else ())):
        if ref.ref_path[0] not in known:
            issues.unknown("LOOM-CORE-120", where, "Rule: command field", ".".join(ref.ref_path), known)
    _check_parameters(rule, list(names), where, issues)
    if isinstance(condition, Expr) and len(issues.found) == before and command is not None:
        issues.predicate("LOOM-CORE-122", where, condition, lambda ref: _kind(command, ref), known)
    if len(issues.found) > before:
        return None
    if rule.target is not None:
        return _evaluator(rule, rule.target.ref_path)
    return _evaluator(rule, read[0].ref_path if read else rule.parameters[:1])


def _check_parameters(rule: Rule, names: list[str], where: Place, issues: Issues) -> None:
    for name in rule.parameters:
        if name not in names:
            issues.unknown("LOOM-CORE-121", where, "Rule: parameter", name, names)
    if not isinstance(rule.condition, Expr) and not rule.fields and not rule.parameters:
        issues.add(
            "LOOM-CORE-123",
            where,
            f"a rule ({rule.message or rule.mode.value}) reads nothing",
            "add .from_command(F(Command).field) or .from_params(name)",
        )


def _kind(command: ModelSchema, ref: Ref) -> Any:
    found = command.field(ref.ref_path[0])
    if found is None:
        raise LookupError(ref.ref_path[0])
    return found.type.kind if len(ref.ref_path) == 1 else None


def _evaluator(rule: Rule, path: tuple[str, ...]) -> Callable[[Call], FieldError | None]:
    arguments = tuple(ref.ref_path for ref in rule.fields)
    condition = rule.condition
    if isinstance(condition, Expr):
        arguments = tuple(ref.ref_path for ref in refs(condition))
        test = to_python(condition, _from_command)
    else:
        function = condition

        def test(call: Call) -> object:
            values = [_reach(call.command, field) for field in arguments]
            return function(*values, *(call.values[name] for name in rule.parameters))

    def evaluate(call: Call) -> FieldError | None:
        if any(isinstance(_reach(call.command, field), Absent) for field in arguments):
            return None
        outcome = test(call)
        if rule.mode is RuleMode.CHECK:
            return FieldError(path=path, message=str(outcome), code=rule.code) if outcome is not None else None
        failed = bool(outcome) if rule.mode is RuleMode.FORBID else not outcome
        return FieldError(path=path, message=rule.message, code=rule.code) if failed else None

    return evaluate


def _from_command(ref: Ref) -> Callable[[Call], Any]:
    path = ref.ref_path
    return lambda call: _reach(call.command, path)


def _reach(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if value is None or isinstance(value, Absent):
            return value
        value = getattr(value, name)
    return value
