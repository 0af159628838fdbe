"""Binds the ``JobQueue`` port to Celery."""

from __future__ import annotations

from loom.adapters.celery.queue import CeleryJobQueue
from loom.adapters.celery.settings import CelerySettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: CelerySettings, *, codec: Codec, clock: Clock) -> CeleryJobQueue:
    """The sending side. Messages hold bytes already, and the broker keeps the time."""
    return CeleryJobQueue(settings)
