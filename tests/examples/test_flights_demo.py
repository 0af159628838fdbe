"""The demo runs from end to end, loses nothing, and says so; here on six days, for ``make demo`` runs the year."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.examples.flights_slice import write_slice

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def test_the_demo_loses_nothing_and_leaves_what_it_promises(tmp_path: Path) -> None:
    data, home = tmp_path / "data", tmp_path / "home"
    data.mkdir()
    write_slice(data, days=3)
    env = {**os.environ, "FLIGHTS_DATA": str(data), "FLIGHTS_HOME": str(home), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "examples.flights"],
        check=False,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    for line in (
        "with status 400 1",
        "with status 404 1",
        "with status 422 2",
        "reports without an event 0",
        "events not logged 0",
        "major delays nobody was told of 0",
        "jobs that did not succeed 0",
        "records waiting in the outbox 0",
        "dead letters 0",
    ):
        assert line in said
    assert (home / "delays.png").read_bytes().startswith(PNG)
    assert (home / "flights.db").stat().st_size > 0
