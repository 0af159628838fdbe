"""The tutorials, followed as a reader follows them, from an empty folder and an environment of its own: files appear
one by one, and every command prints what is shown."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.examples.snippets import blocks_of
from tests.servers.process import Process, free_port, listens

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "tutorial" / name for name in ("first-api.md", "events-and-jobs.md")]
INSTALLING = "pip install "


@attrs.define
class Reader:
    """Somebody in front of an empty folder and a terminal."""

    folder: Path
    path: str = os.environ["PATH"]
    port: int = attrs.field(factory=free_port)
    server: Process | None = None

    def follow(self, page: Path) -> None:
        """Do what a page says."""
        written: set[str] = set()
        for block in blocks_of(page):
            if block.title:
                target = self.folder / block.title
                target.parent.mkdir(parents=True, exist_ok=True)
                # A page that shows a file in parts goes on with it; a later page shows all of it again.
                known = target.read_text() if block.title in written else ""
                target.write_text(known + block.body)
                written.add(block.title)
            elif block.language == "console":
                for command, shown in commands_of(block.body):
                    self.enter(command, shown, f"{page.name}:{block.line}")

    def enter(self, command: str, shown: str, where: str) -> None:
        """Run a command and compare what it prints."""
        if command.startswith("loom serve"):
            self.serve(command)
        elif command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
        elif command == ". .venv/bin/activate":
            self.path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{self.path}"
        else:
            deadline = time.monotonic() + 20
            done = self.run(command)
            # An answer over HTTP does not end its line.
            while done.stdout.rstrip("\n") != shown.rstrip("\n") and "sleep" in command and time.monotonic() < deadline:
                done = self.run(command)  # a machine that is busy needs more of them
            # What pip says depends on what it knows already.
            said = "" if command.startswith(INSTALLING) and done.returncode == 0 else done.stdout.rstrip("\n")
            assert said == shown.rstrip("\n"), f"{where}: {command}\n{done.stderr}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command.replace(":8000", f":{self.port}")],
            check=False,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=600,
        )

    def serve(self, command: str) -> None:
        """Start the server, or end the one that runs and start it anew."""
        self.leave()
        program = str(self.folder / ".venv" / "bin" / "loom")
        words = [program, *command.split()[1:], "--set", f"rest.port={self.port}", "--set", "rest.drain=0"]
        log = self.folder / "server.log"
        self.server = Process("loom serve", ["env", "-C", str(self.folder), *words], log, env=self.environment())
        self.server.start(ready=lambda: listens(self.port), timeout=60)

    def leave(self) -> None:
        if self.server is not None:
            self.server.stop()

    def environment(self) -> dict[str, str]:
        # The versions that everything here is tested with.
        constraints = str(ROOT / "constraints.txt")
        return {**os.environ, "PATH": self.path, "COLUMNS": "200", "PIP_CONSTRAINT": constraints}


def commands_of(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what is shown below it."""
    for part in text.replace("\\\n", "").removeprefix("$ ").split("\n$ "):
        command, _, shown = part.partition("\n")
        yield command, shown


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "loom").symlink_to(ROOT)
    reader = Reader(tmp_path)
    try:
        for page in PAGES:
            reader.follow(page)
    finally:
        reader.leave()
