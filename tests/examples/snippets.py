"""Turns the fenced blocks of a Markdown page into a folder that can be run.

A block with a title (```` ```yaml title="config/api.yaml" ````) is a file of that name. Python blocks without a title
run one after the other in one module, as a reader would type them. A ``console`` block is shown, not run.
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs

_BLOCK = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r'title="(?P<title>[^"]+)"')


@attrs.frozen
class Page:
    """What one page makes: files by name, and the module of its untitled Python blocks."""

    files: dict[str, str]
    script: str


def read_page(page: Path) -> Page:
    """Collect the blocks of a page. Each Python block is preceded by its line, so that a failure points at it."""
    text = page.read_text(encoding="utf-8")
    files: dict[str, str] = {}
    parts: list[str] = []
    for block in _BLOCK.finditer(text):
        title = _TITLE.search(block["info"])
        if title:
            files[title["title"]] = files.get(title["title"], "") + block["body"]
        elif block["language"] == "python":
            line = text.count("\n", 0, block.start()) + 1
            parts.append(f"# {page.name}:{line}\n{block['body']}")
    return Page(files, "\n".join(parts))


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
