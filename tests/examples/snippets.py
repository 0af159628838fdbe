"""Turns the fenced blocks of a Markdown page into a folder that can be run.

A block with a title (```` ```yaml title="config/api.yaml" ````) is a file of that name. Python blocks without a title
run one after the other in one module, as a reader would type them. A ``console`` block is shown, not run; those of
the tutorials are run by ``test_tutorials``. ``<!-- continues: page.md -->`` begins with the files of another page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

_BLOCK = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r'title="(?P<title>[^"]+)"')
_CONTINUES = re.compile(r"^<!-- continues: (?P<page>\S+) -->$", re.MULTILINE)


@attrs.frozen
class Block:
    """One fenced block: where it begins, its language, the file that it is (or is added to), its text."""

    line: int
    language: str
    title: str
    body: str


@attrs.frozen
class Page:
    """What one page makes: files by name, and the module of its untitled Python blocks."""

    files: dict[str, str]
    script: str


def read_page(page: Path) -> Page:
    """Collect the blocks of a page. Each Python block is preceded by its line, so that a failure points at it."""
    own: dict[str, str] = {}
    parts: list[str] = []
    for block in blocks_of(page):
        if block.title:
            own[block.title] = own.get(block.title, "") + block.body
        elif block.language == "python":
            parts.append(f"# {page.name}:{block.line}\n{block.body}")
    continued = _CONTINUES.search(page.read_text(encoding="utf-8"))
    earlier = read_page(page.parent / continued["page"]).files if continued else {}
    return Page({**earlier, **own}, "\n".join(parts))


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        title = _TITLE.search(found["info"])
        line = text.count("\n", 0, found.start()) + 1
        yield Block(line, found["language"], title["title"] if title else "", found["body"])


def lay_out(page: Page, folder: Path) -> Path | None:
    """Write the page's files into ``folder``; returns the module to run, if the page has one."""
    for name, body in page.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body, encoding="utf-8")
    if not page.script:
        return None
    script = folder / "snippet.py"
    script.write_text(page.script, encoding="utf-8")
    return script
