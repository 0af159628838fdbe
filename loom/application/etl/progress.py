"""What a run tells while it goes on. All events of a run come from the thread that called ``run``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from loom.domain.frozen import frozen
from loom.ports.etl import RunReport, StepReport


@frozen(kw_only=True)
class RunStarted:
    """A run begins; these are its steps in an order that works."""

    run_id: str
    pipeline: str
    steps: tuple[str, ...]


@frozen(kw_only=True)
class StepStarted:
    """A step begins."""

    run_id: str
    step: str


@frozen(kw_only=True)
class StepFinished:
    """A step has succeeded or failed; the report says which."""

    run_id: str
    report: StepReport


@frozen(kw_only=True)
class RunFinished:
    """The run has succeeded or failed; the report says which."""

    report: RunReport


ProgressEvent: TypeAlias = RunStarted | StepStarted | StepFinished | RunFinished
Progress: TypeAlias = Callable[[ProgressEvent], None]
"""Receives the events of one run, one after the other."""
