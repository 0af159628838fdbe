"""Every text that tells a reader to install loom names where it is: the name alone brings another project's package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.examples.snippets import blocks_of

ROOT = Path(__file__).parents[2]
TEXTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "mkdocs.yml")),
    *(path for folder in ("docs", "loom", "examples") for path in sorted((ROOT / folder).rglob("*.*"))),
]
_INSTALL = re.compile(r"pip install(?: -e)? +(?P<what>'[^'\n]+'|\S+)")
_TREE = re.compile(r"'?(?:\.|\.\./loom)(?:\[(?P<extras>[\w,]+)\])?'?")


def installed(path: Path) -> list[re.Match[str]]:
    return list(_INSTALL.finditer(path.read_text(encoding="utf-8")))


def written(suffixes: tuple[str, ...]) -> list[Path]:
    return [path for path in TEXTS if path.suffix in suffixes and installed(path)]


@pytest.mark.parametrize("path", written((".md", ".yml", ".yaml", ".toml")), ids=lambda path: path.name)
def test_a_page_installs_the_tree_and_extras_that_there_are(path: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for found in installed(path):
        tree = _TREE.fullmatch(found["what"].rstrip("`"))
        assert tree, f"{path}: {found[0]}"
        assert {extra for extra in (tree["extras"] or "").split(",") if extra} <= extras.keys()


def test_no_message_installs_by_name() -> None:
    """One place makes these commands, from what the installation itself recorded."""
    assert [path.name for path in written((".py",))] == ["installation.py"]


def test_the_pages_are_looked_at() -> None:
    assert len(written((".md",))) >= 4
    assert any(block.language == "sh" for block in blocks_of(ROOT / "README.md"))
