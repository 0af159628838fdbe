"""What the Celery adapter says and does where no broker answers, and what its messages are made of."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.adapters.celery.app import TASK, build_app
from loom.adapters.celery.loop import WorkerLoop
from loom.adapters.celery.messages import from_json, to_json
from loom.adapters.celery.queue import CeleryJobQueue
from loom.adapters.celery.settings import CelerySettings
from loom.domain.errors import Unavailable
from loom.ports.jobs import JobMessage, JobStatus
from loom.testing.contracts.jobs import finished, message

# Nothing listens on port 1.
NOWHERE = CelerySettings(broker_url="redis://loom:s3cret@127.0.0.1:1/0", connect_timeout=0.5)
CALLS: dict[str, Callable[[CeleryJobQueue], Awaitable[None]]] = {
    "start": lambda queue: queue.start(_finish),
    "enqueue": lambda queue: queue.enqueue(message("Notify")),
}
MESSAGES = st.builds(
    JobMessage,
    id=st.uuids(),
    job=st.text(min_size=1),
    payload=st.binary(),
    headers=st.dictionaries(st.text(), st.text()),
    queue=st.text(min_size=1),
    attempt=st.integers(1, 100),
    retries=st.integers(0, 100),
    timeout=st.none() | st.floats(0.001, 1e6),
    countdown=st.floats(0, 1e6),
    priority=st.integers(0, 9),
)


@pytest.mark.parametrize("call", CALLS)
async def test_an_unreachable_broker_is_named_without_its_password(call: str) -> None:
    """The call ends soon, and the error says what to do."""
    queue = CeleryJobQueue(NOWHERE)
    with pytest.raises(Unavailable) as caught:
        async with asyncio.timeout(10):
            await CALLS[call](queue)
    text = str(caught.value)
    assert "no broker answers at redis://loom:**@127.0.0.1:1/0" in text
    assert "start it, or correct jobs.broker_url" in text
    assert "s3cret" not in text
    await queue.stop()


@given(MESSAGES)
def test_a_message_survives_json(sent: JobMessage) -> None:
    """Bytes, text and numbers come back as they were."""
    assert from_json(json.loads(json.dumps(to_json(sent)))) == sent


def test_only_a_worker_has_the_task() -> None:
    """The sending side knows it by name alone."""
    assert TASK not in build_app(NOWHERE).tasks
    assert TASK in build_app(NOWHERE, lambda: _Opened([])).tasks


def test_the_queue_says_when_its_broker_gives_a_job_to_another_worker() -> None:
    """So that a deployment whose jobs take longer is refused."""
    assert CeleryJobQueue(CelerySettings(visibility_timeout=120)).redelivers_after() == 120


def test_jobs_of_many_threads_share_one_loop_that_is_opened_once() -> None:
    """All of them wait at the same time; a runner that could not be opened is opened by the next job."""
    events: list[str] = []
    loop = WorkerLoop(lambda: _Opened(events))
    with pytest.raises(Unavailable):
        loop.run(message("first"))

    async def together() -> list[JobStatus]:
        return await asyncio.gather(*(asyncio.to_thread(loop.run, message(f"job{n}")) for n in range(4)))

    assert len(asyncio.run(together())) == 4
    loop.close()
    loop.close()
    assert events == ["failed", "opened", "closed"]


class _Opened:
    """A runner that ends only when four jobs wait in the same loop; it cannot be opened the first time."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> Callable[[JobMessage], Awaitable[JobStatus]]:
        if not self.events:
            self.events.append("failed")
            raise Unavailable("the store does not answer")
        self.events.append("opened")
        return self.run

    async def __aexit__(self, *error: object) -> None:
        self.events.append("closed")

    async def run(self, item: JobMessage) -> JobStatus:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        if len(self.waiting) == 4:
            for each in self.waiting:
                each.set_result(None)
        await mine
        return finished(item)


async def _finish(item: JobMessage) -> JobStatus:
    return finished(item)
