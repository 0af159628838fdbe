"""Binds the ``JobQueue`` port to tasks of this process."""

from __future__ import annotations

from loom.adapters.inline.jobs import InlineJobQueue
from loom.adapters.inline.settings_jobs import InlineJobsSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: InlineJobsSettings, *, codec: Codec, clock: Clock) -> InlineJobQueue:
    """A queue of its own. Messages hold bytes already, so the codec is not needed."""
    return InlineJobQueue(settings, clock=clock)
