"""The compiler skeleton of all four areas: collect every issue, report them together, decide nothing twice.

Each area declares kinds (markers, sources, targets, nodes). A kind registers its behaviour in a ``Kinds`` registry, so
that a new kind is one new file and no compiler asks ``isinstance`` down a ladder.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, Self, TypeVar

import attrs

from loom.domain.errors import CompileError, Issue, Place
from loom.domain.expr import Expr
from loom.domain.expr_check import TypeOf, check_predicate

B = TypeVar("B")

PARSING = threading.Lock()
"""Held while Python source is parsed, which ``inspect`` does to find a class: some releases of 3.11 and 3.12 fail where
two threads do it at once (CPython issue 106905)."""


def place_of(declaration: object) -> Place:
    """Where a class or function was written; for other objects, where ``here()`` said that they were made.

    Its source is read when somebody looks at the file or the line: a deployment without faults never does.
    """
    made = getattr(declaration, "declared_at", None)
    if isinstance(made, Place):
        return made
    target = declaration if inspect.isclass(declaration) or inspect.isroutine(declaration) else type(declaration)
    return _Unread.of(target)


def here(name: str, *, depth: int = 2) -> Place:
    """The place of the caller, for declarations that are objects (a flow). ``depth`` counts frames above this one."""
    frame = sys._getframe(depth)
    return Place(name=name, file=frame.f_code.co_filename, line=frame.f_lineno)


class _Unread(Place):
    """A place whose file and line are found when they are first asked for. Then it is one like all others."""

    __slots__ = ("_target",)
    _target: Any

    @classmethod
    def of(cls, target: Any) -> Self:
        """The place of a class or function. Its slots ``file`` and ``line`` stay empty."""
        place = cls.__new__(cls)
        object.__setattr__(place, "name", getattr(target, "__qualname__", repr(target)))
        object.__setattr__(place, "_target", target)
        return place

    def __getattr__(self, name: str) -> Any:
        # Called for an empty slot.
        if name not in ("file", "line"):
            raise AttributeError(name)
        file, line = _written(self._target)
        object.__setattr__(self, "file", file)
        object.__setattr__(self, "line", line)
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and attrs.astuple(self) == attrs.astuple(other)

    __hash__ = Place.__hash__


def _written(target: Any) -> tuple[str, int]:
    try:
        with PARSING:
            file = inspect.getsourcefile(target) or ""
            _, line = inspect.getsourcelines(target)
    except (OSError, TypeError):
        return "", 0
    return file, line


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate that ``name`` was probably meant to be, or the empty string."""
    # Needed for faults only; whoever declares a model does not wait for it.
    from difflib import get_close_matches

    found = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(unknown: str, names: Iterable[str]) -> str:
    """The remedy for a name that does not exist; empty where none is near."""
    near = nearest(unknown, names)
    return f"did you mean {near!r}?" if near else ""


def meant(message: str, unknown: str, names: Iterable[str]) -> str:
    """The message, with the name that an unknown one was probably meant to be."""
    near = nearest(unknown, names) if unknown else ""
    return f"{message}; did you mean {near!r}?" if near else message


@attrs.define(eq=False, repr=False)
class Issues:
    """Collects the issues of one compilation. A compiler never raises for the first fault that it meets."""

    found: list[Issue] = attrs.field(factory=list)

    def add(self, code: str, where: object, message: str, remedy: str = "") -> None:
        """Record an issue. ``where`` is a ``Place`` or the declaration itself."""
        place = where if isinstance(where, Place) else place_of(where)
        self.found.append(Issue(code=code, where=place, message=message, remedy=remedy))

    def unknown(self, code: str, where: object, what: str, name: str, candidates: Iterable[str]) -> None:
        """Record a name that does not exist, with a did-you-mean or else the names that do."""
        known = sorted(candidates)
        near = nearest(name, known)
        listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        remedy = f"did you mean {near!r}?" if near else f"known: {listed}" if known else "none are declared"
        self.add(code, where, f"{what} {name!r} does not exist", remedy)

    def predicate(self, code: str, where: object, expr: Expr, type_of: TypeOf, candidates: Iterable[str]) -> None:
        """Record every fault of an expression that is to be a predicate over the given names."""
        known = sorted(candidates)
        for fault in check_predicate(expr, type_of):
            near = nearest(fault.unknown, known) if fault.unknown else ""
            self.add(code, where, fault.message, f"did you mean {near!r}?" if near else "")

    def extend(self, issues: Iterable[Issue]) -> None:
        """Record the issues of a part."""
        self.found.extend(issues)

    def raise_if_any(self) -> None:
        """Raise everything that was found as one ``CompileError``."""
        if self.found:
            raise CompileError(self.found)


class Kinds(Generic[B]):
    """Registry of the behaviours of one family of kinds: class of the declaration to behaviour."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._behaviours: dict[type, B] = {}

    def register(self, kind: type, behaviour: B) -> None:
        """Give a kind its behaviour. Called once, in the file of the kind."""
        self._behaviours[kind] = behaviour

    def of(self, declaration: object) -> B | None:
        """The behaviour of a declaration's class or of its nearest base, or ``None``.

        A declaration is an object (a marker, a source) or a class (a step).
        """
        for base in (declaration if isinstance(declaration, type) else type(declaration)).__mro__:
            found = self._behaviours.get(base)
            if found is not None:
                return found
        return None

    def names(self) -> list[str]:
        """Names of all kinds, for messages."""
        return sorted(kind.__name__ for kind in self._behaviours)

    def require(self, declaration: object, issues: Issues, code: str, where: object) -> B | None:
        """The behaviour of a declaration; where it has none, an issue that names the kinds there are."""
        found = self.of(declaration)
        if found is None:
            name = declaration.__name__ if isinstance(declaration, type) else type(declaration).__name__
            issues.unknown(code, where, self._family, name, self.names())
        return found


def compile_all(compilers: Iterable[Callable[[Issues], None]]) -> None:
    """Run compilers over one collection of issues and raise all of them together.

    Raises:
        CompileError: any of them found an issue.
    """
    issues = Issues()
    for run in compilers:
        run(issues)
    issues.raise_if_any()
