"""Runs the pipeline with its progress shown, and proves that a second run changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.flights.console import console, progress, table
from examples.flights.pipeline import FlightsPipeline, FlightYear
from loom.etl import ETLRunner, ProgressEvent, StepFinished, StepStarted
from loom.ports.etl import TableState


def build_lake(*config: Path) -> dict[str, TableState]:
    """Run the pipeline twice; returns the state of every table.

    Raises:
        RuntimeError: the second run changed a table.
    """
    with ETLRunner.from_yaml(*config) as runner:
        states = _run(runner, "first run")
        again = _run(runner, "second run")
    changed = [name for name, state in again.items() if state.digest != states[name].digest]
    if changed:
        raise RuntimeError(f"the second run changed {', '.join(changed)}")
    rows = [(name, state.rows, state.version, state.digest[:12]) for name, state in again.items()]
    table("The lake", ("table", "rows", "version", "digest, equal after both runs"), rows)
    return again


def _run(runner: ETLRunner, title: str) -> dict[str, TableState]:
    with progress() as shown:
        report = runner.run(FlightsPipeline, FlightYear(), progress=_follow(shown, title))
    console.print(f"  {title}: {report.state.value}, {report.seconds:.1f} s", highlight=False)
    tables = runner.tables
    return {name: state for name in tables.names() if (state := tables.state(name)) is not None}


def _follow(shown: Any, title: str) -> Callable[[ProgressEvent], None]:
    total = shown.add_task(f"  {title}", total=7)

    def tell(event: ProgressEvent) -> None:
        if isinstance(event, StepStarted):
            shown.update(total, description=f"  {title}: {event.step.rpartition('.')[2]}")
        elif isinstance(event, StepFinished):
            shown.advance(total)

    return tell
