"""``Rule``: what must hold before ``execute``. All rules are tried, and all failures are reported together."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Self, TypeAlias

import attrs

from loom.domain.errors import FieldError
from loom.domain.expr import Expr, Ref
from loom.domain.frozen import frozen


class RuleMode(enum.Enum):
    """How the outcome of a rule's function is read."""

    CHECK = "check"
    FORBID = "forbid"
    REQUIRE = "require"


Condition: TypeAlias = Expr | Callable[..., object]
Fault: TypeAlias = str | FieldError
Check: TypeAlias = Callable[..., Fault | Iterable[Fault] | None]


@frozen(kw_only=True)
class Rule:
    """What must hold. Begin with ``check``, ``forbid``, ``require`` or ``each``, and combine with ``&`` and ``|``.

    - A rule that reads a field which was not sent is skipped. A skipped rule does not fail.
    - ``a & b`` tries both, always, and reports the failures of both.
    - ``a | b`` fails only where both fail, and then reports the failures of both. A skipped rule does not fail, so an
      ``|`` with it holds.
    - ``when_present`` lets the whole rule, combined or not, be skipped.
    """

    guards: tuple[Ref, ...] = ()

    @classmethod
    def check(cls, *fields: Ref, via: Check, code: str = "rule") -> FieldRule:
        """A function of the fields' values that returns what is wrong, or ``None``.

        What is wrong is a sentence; or a ``FieldError`` whose path goes on below the field that the rule points at
        (``FieldError(path=(2, "quantity"), message="is too many")``); or several of either.
        """
        return FieldRule(mode=RuleMode.CHECK, condition=via, fields=fields, code=code)

    @classmethod
    def forbid(cls, condition: Condition, *, message: str, code: str = "rule") -> FieldRule:
        """Fails where the condition is true: an expression over ``F(Command)``, or a function of the values named."""
        return FieldRule(mode=RuleMode.FORBID, condition=condition, message=message, code=code)

    @classmethod
    def require(cls, condition: Condition, *, message: str, code: str = "rule") -> FieldRule:
        """Fails unless the condition is true; an expression that is null counts as not true."""
        return FieldRule(mode=RuleMode.REQUIRE, condition=condition, message=message, code=code)

    @classmethod
    def each(cls, items: Ref, *rules: Rule) -> EachRule:
        """Rules over every item of a list; a failure points at the item's own field (``/lines/2/quantity``).

            Rule.each(F(PlaceOrder).lines, Rule.require(F(Line).quantity > 0, message="must be positive"))

        Args:
            items: a field that is a list of attrs classes. A list that is null is skipped.
            rules: over ``F(Item)``; ``from_params`` gives them the parameters of ``execute`` as elsewhere.
        """
        return EachRule(items=items, rules=rules)

    def when_present(self, *fields: Ref) -> Self:
        """Try the rule only where each of these fields was sent and is not null."""
        return attrs.evolve(self, guards=(*self.guards, *fields))

    def __and__(self, other: Rule) -> RuleGroup:
        return RuleGroup(parts=(self, other))

    def __or__(self, other: Rule) -> RuleGroup:
        return RuleGroup(parts=(self, other), alternatives=True)

    def __bool__(self) -> bool:
        raise TypeError("a rule is not a truth value; combine rules with & and |, not and, or")


@frozen(kw_only=True)
class FieldRule(Rule):
    """One rule over fields and parameters.

    A failure points at the field named by ``at``, else at the first field that the rule reads, else at what its first
    parameter was loaded by.
    """

    mode: RuleMode
    condition: Condition
    message: str = ""
    code: str = "rule"
    fields: tuple[Ref, ...] = ()
    parameters: tuple[str, ...] = ()
    target: Ref | None = None

    def from_command(self, *fields: Ref) -> FieldRule:
        """Give the function the values of these fields of the command too; fields come before parameters."""
        return attrs.evolve(self, fields=(*self.fields, *fields))

    def from_params(self, *names: str) -> FieldRule:
        """Give the function the values of these ``execute`` parameters too (loads and exists included)."""
        return attrs.evolve(self, parameters=(*self.parameters, *names))

    def at(self, field: Ref) -> FieldRule:
        """Point at this field where the rule fails."""
        return attrs.evolve(self, target=field)

    @property
    def label(self) -> str:
        """What the rule is called in issues."""
        return self.message or self.mode.value


@frozen(kw_only=True)
class RuleGroup(Rule):
    """Rules joined by ``&``, or by ``|`` where they are ``alternatives``."""

    parts: tuple[Rule, ...]
    alternatives: bool = False


@frozen(kw_only=True)
class EachRule(Rule):
    """Rules over every item of a list."""

    items: Ref
    rules: tuple[Rule, ...]
