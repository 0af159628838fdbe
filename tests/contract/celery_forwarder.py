"""A Celery worker whose runner lives elsewhere: it forwards each message to a socket and answers what comes back.

So a contract's runner, in the test's own process, sees what a real worker process is given:
``celery -A tests.contract.celery_forwarder worker``.
"""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loom.adapters.celery.app import build_app
from loom.adapters.celery.messages import from_json, to_json
from loom.adapters.celery.settings import CelerySettings
from loom.domain.errors import Unavailable
from loom.ports.jobs import JobMessage, JobRunner, JobState, JobStatus

SETTINGS = "LOOM_TEST_CELERY"
SOCKET = "LOOM_TEST_SOCKET"


async def forward(message: JobMessage) -> JobStatus:
    reader, writer = await asyncio.open_unix_connection(os.environ[SOCKET])
    try:
        writer.write(json.dumps(to_json(message)).encode() + b"\n")
        answer = json.loads(await reader.readline())
    finally:
        writer.close()
    if "raise" in answer:
        raise Unavailable(answer["raise"])
    return JobStatus(id=uuid.UUID(answer["id"]), job=answer["job"], state=JobState(answer["state"]))


@asynccontextmanager
async def served(runner: JobRunner, path: str) -> AsyncIterator[None]:
    """Answer forwarded messages with ``runner`` until the block ends; the other side, in the test's process."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = from_json(json.loads(await reader.readline()))
        try:
            status = await runner(message)
            reply = {"id": str(status.id), "job": status.job, "state": status.state.value}
        except Unavailable as error:
            reply = {"raise": str(error)}
        writer.write(json.dumps(reply).encode() + b"\n")
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def _runner() -> AsyncIterator[JobRunner]:
    yield forward


if SETTINGS in os.environ:
    app = build_app(CelerySettings(**json.loads(os.environ[SETTINGS])), _runner)
