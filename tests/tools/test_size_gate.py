"""The size gate names each fault with its place."""

import ast
from pathlib import Path

from tools import size_gate
from tools.cycles import import_cycles


def test_a_long_function_is_a_fault() -> None:
    body = "\n".join("    pass" for _ in range(size_gate.FUNCTION_LIMIT))
    faults = list(size_gate.function_faults("a.py", ast.parse(f"def long():\n{body}\n")))
    assert faults == ["a.py:1: long has 61 lines, the limit is 60"]


def test_a_long_file_is_a_fault() -> None:
    faults = list(size_gate.length_faults("a.py", [""] * (size_gate.FILE_LIMIT + 1)))
    assert faults == ["a.py: 501 lines, the limit is 500; split it by subject"]


def test_an_ignore_needs_a_code() -> None:
    bare, coded = "x = 1  # type: " + "ignore", "x = 1  # type: " + "ignore[misc]"
    faults = list(size_gate.ignore_faults("a.py", [bare, coded]))
    assert faults == ["a.py:1: `type: ignore` needs the error code it silences"]


def test_mocks_are_refused_in_unit_tests_only() -> None:
    tree = ast.parse("from unittest.mock import Mock\nfrom unittest import mock\n")
    assert len(list(size_gate.mock_faults("tests/unit/test_a.py", tree))) == 2
    assert list(size_gate.mock_faults("tests/integration/test_a.py", tree)) == []


def test_a_cycle_is_found_unless_it_is_made_at_run_time(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "a.py").write_text("from pkg import b\n")
    (package / "b.py").write_text("import pkg.a\n")
    (package / "c.py").write_text("def late():\n    import pkg.d\n")
    (package / "d.py").write_text("import pkg.c\n")
    assert [set(cycle) for cycle in import_cycles(tmp_path, "pkg")] == [{"pkg.a", "pkg.b"}]
