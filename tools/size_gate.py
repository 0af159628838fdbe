"""The size gate: short files, short functions, no mocks in unit tests, no bare `type: ignore`, no import cycles."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.cycles import import_cycles

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("loom", "tests", "tools", "examples", "benchmarks")
FILE_LIMIT, FILE_WARNING, FUNCTION_LIMIT = 500, 300, 60
BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def length_faults(name: str, lines: list[str]) -> Iterator[str]:
    if len(lines) > FILE_LIMIT:
        yield f"{name}: {len(lines)} lines, the limit is {FILE_LIMIT}; split it by subject"


def function_faults(name: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LIMIT:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines, the limit is {FUNCTION_LIMIT}"


def ignore_faults(name: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if BARE_IGNORE.search(line):
            yield f"{name}:{number}: `type: ignore` needs the error code it silences"


def mock_faults(name: str, tree: ast.Module) -> Iterator[str]:
    if not name.startswith("tests/unit/"):
        return
    for node in ast.walk(tree):
        if any(module.startswith("unittest.mock") for module in imported(node)):
            yield f"{name}:{getattr(node, 'lineno', 0)}: unittest.mock in a unit test; use the memory adapter"


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def faults_of(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    yield from length_faults(name, lines)
    yield from function_faults(name, tree)
    yield from ignore_faults(name, lines)
    yield from mock_faults(name, tree)


def long_files(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if FILE_WARNING < lines <= FILE_LIMIT:
            yield f"{path.relative_to(ROOT).as_posix()}: {lines} lines, aim at {FILE_WARNING}"


def main() -> int:
    paths = list(sources())
    faults = [fault for path in paths for fault in faults_of(path)]
    faults += [f"import cycle: {' -> '.join(cycle)}" for cycle in import_cycles(ROOT, "loom")]
    for warning in long_files(paths):
        print(f"warning: {warning}")
    for fault in faults:
        print(f"fault: {fault}")
    print(f"size gate: {len(paths)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
