"""Every Python block of the README and the docs runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loom.config.loading import load
from loom.config.structure import structure
from tests.examples.snippets import lay_out, read_page

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{oc\.env:(\w+)\}")
_PROMISE = re.compile(r"It prints `([^`]+)`")
"""What a page says that its script prints."""
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if page.exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    script = lay_out(read_page(page), tmp_path)
    if script is None:
        assert "```python" not in page.read_text(encoding="utf-8").replace("```python title", "")
        return
    # The folder of the snippet first, so that its own files import each other; the repository for the examples.
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{page.name} fails:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    for promised in _PROMISE.findall(page.read_text(encoding="utf-8")):
        assert promised in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_configurations_of_a_page_are_accepted(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_page(page)
    lay_out(found, tmp_path)
    for name, body in found.files.items():
        for variable in _VARIABLE.findall(body):
            monkeypatch.setenv(variable, "redis://localhost" if "REDIS" in variable else "localhost:9092")
        if name.endswith(".yaml"):
            structure(load(tmp_path / name))
