"""Import cycles at module level inside one package, read from the source without importing it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Graph = dict[str, set[str]]


def import_cycles(root: Path, package: str) -> list[list[str]]:
    """List one cycle for each knot of modules that import one another while they are being loaded."""
    graph = _graph(root, package)
    cycles: list[list[str]] = []
    while (cycle := _first_cycle(graph)) is not None:
        cycles.append(cycle)
        # One edge of the knot is cut, so that the next round finds the next knot.
        graph[cycle[0]].discard(cycle[1])
    return cycles


def _first_cycle(graph: Graph) -> list[str] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib lists a cycle from the imported module to its importer.
        return list(reversed(error.args[1]))
    return None


def _graph(root: Path, package: str) -> Graph:
    modules = {_name(root, path): path for path in sorted((root / package).rglob("*.py"))}
    return {
        name: {target for target in _targets(path) if target in modules and target != name}
        for name, path in modules.items()
    }


def _name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(path: Path) -> Iterator[str]:
    for node in _loaded(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _loaded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import: function bodies and TYPE_CHECKING blocks do not."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _loaded(node.orelse)
            continue
        yield node
        for field in ("body", "orelse", "finalbody"):
            yield from _loaded(getattr(node, field, []))
