"""The ``JobQueue`` port on Celery: the side that sends."""

from __future__ import annotations

import asyncio

from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import KombuError, OperationalError

from loom.adapters.celery.app import HIGHEST_PRIORITY, TASK, build_app, is_redis
from loom.adapters.celery.messages import to_json
from loom.adapters.celery.settings import CelerySettings
from loom.domain.errors import EngineFailure, Unavailable
from loom.ports.jobs import JobMessage, JobRunner


class CeleryJobQueue:
    """Sends job messages to the broker. Workers are processes of their own; see ``build_app``."""

    def __init__(self, settings: CelerySettings) -> None:
        self._settings = settings
        self._app: Celery = build_app(settings)

    def redelivers_after(self) -> float | None:
        return self._settings.visibility_timeout

    async def enqueue(self, message: JobMessage) -> None:
        # The client blocks; a thread is held for as long as the broker takes to answer.
        await asyncio.to_thread(self._send, message)

    async def start(self, runner: JobRunner) -> None:
        """Look whether the broker answers. The runner is not used: what runs jobs here are the workers."""
        await asyncio.to_thread(self._connect)

    async def drain(self) -> None:
        """This process delivers nothing."""

    async def stop(self) -> None:
        await asyncio.to_thread(self._app.close)

    def _send(self, message: JobMessage) -> None:
        try:
            self._app.send_task(
                TASK,
                args=[to_json(message)],
                task_id=str(message.id),
                queue=message.queue,
                countdown=message.countdown or None,
                priority=self._priority(message.priority),
                retry=False,
            )
        except OperationalError as error:
            raise self._unavailable(f"job {message.job} {message.id} was not taken") from error
        except KombuError as error:
            raise EngineFailure(f"job {message.job} {message.id} cannot be sent: {error}") from error

    def _connect(self) -> None:
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=self._settings.connect_timeout)
        except OperationalError as error:
            raise self._unavailable("the job queue cannot be started") from error

    def _priority(self, priority: int) -> int:
        return HIGHEST_PRIORITY - priority if is_redis(self._settings) else priority

    def _unavailable(self, what: str) -> Unavailable:
        # as_uri() hides the password.
        address = Connection(self._settings.broker_url).as_uri()  # type: ignore[no-untyped-call]
        return Unavailable(f"{what}: no broker answers at {address}", remedy="start it, or correct jobs.broker_url")
