"""What a read-only use case must not do, found in its source where it can be seen there.

What cannot be seen (a class held in a variable, a repository passed on) is refused when it runs.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FunctionType
from typing import Any, Final, TypeAlias

from loom.application.compile import PARSING, Issues
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.invoker import ApplicationInvoker
from loom.application.usecase.plan import DependencyPlan
from loom.domain.errors import Place

_WRITES: Final = frozenset({"create", "create_many", "update", "delete"})
_SUSPECT: Final = _WRITES | {"emit", "invoke"}
_Attributes: TypeAlias = frozenset[str]


def check_read_only(
    use_case: type[UseCase[Any, Any]], dependencies: Sequence[DependencyPlan], where: Place, issues: Issues
) -> None:
    """Record every write that the methods of a read-only use case visibly make."""
    names = {plan.name for plan in dependencies if plan.wanted is ApplicationInvoker}
    functions = list(_functions(use_case))
    invokers = frozenset(_held(functions, names))
    for function in functions:
        # The names that a function uses are at hand; its source is read only where one of them is a suspect.
        if not _SUSPECT.isdisjoint(function.__code__.co_names):
            for call in _calls(function):
                _check_call(call, function, use_case, invokers, _recorder(use_case, where, issues))


_Record: TypeAlias = Callable[[str, str], None]


def _recorder(use_case: type, where: Place, issues: Issues) -> _Record:
    def record(what: str, remedy: str) -> None:
        issues.add("LOOM-CORE-130", where, f"{use_case.__name__} is read_only, but {what}", remedy)

    return record


def _check_call(call: ast.Call, function: FunctionType, use_case: type, invokers: _Attributes, record: _Record) -> None:
    path = _path(call.func)
    if path == ("self", "emit"):
        record("emits an event", "set read_only = False")
    elif len(path) == 3 and path[:2] == ("self", "main_repo") and path[2] in _WRITES:
        record(f"calls self.main_repo.{path[2]}", "set read_only = False")
    elif len(path) == 3 and path[0] == "self" and path[1] in invokers and path[2] == "invoke":
        target = _named(call.args[0], function) if call.args else None
        if isinstance(target, type) and issubclass(target, UseCase) and not target.read_only:
            record(
                f"invokes {target.__name__}, which writes",
                f"set read_only = False on {use_case.__name__}, or read_only = True on {target.__name__}",
            )


def _functions(use_case: type) -> Iterator[FunctionType]:
    for cls in use_case.__mro__:
        if cls is UseCase:
            return
        yield from (value for value in vars(cls).values() if isinstance(value, FunctionType))


def _held(functions: Iterable[FunctionType], names: set[str]) -> Iterator[str]:
    """The attributes that the constructor puts these arguments into."""
    constructor = next((function for function in functions if function.__name__ == "__init__"), None)
    if constructor is None or not names:
        return
    for node in ast.walk(_tree(constructor)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield from (path[1] for target in node.targets if len(path := _path(target)) == 2 and path[0] == "self")


def _calls(function: FunctionType) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_tree(function)) if isinstance(node, ast.Call))


def _tree(function: FunctionType) -> ast.AST:
    try:
        with PARSING:
            return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ast.Module(body=[], type_ignores=[])  # typed at a prompt, or generated: nothing can be seen


def _path(node: ast.AST) -> tuple[str, ...]:
    """``self.app.invoke`` as its names; empty for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        before = _path(node.value)
        return (*before, node.attr) if before else ()
    return ()


def _named(node: ast.AST, function: FunctionType) -> object:
    """What a dotted name means in the module of a function."""
    path = _path(node)
    if not path:
        return None
    found: object = function.__globals__.get(path[0], _enclosed(function).get(path[0]))
    for name in path[1:]:
        found = getattr(found, name, None)
    return found


def _enclosed(function: FunctionType) -> dict[str, object]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}
