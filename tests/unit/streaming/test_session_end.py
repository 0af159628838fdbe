"""How a run ends where several things go wrong at once."""

import threading

import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.core import Unavailable
from loom.domain.errors import EngineFailure, StepFailed
from loom.streaming import RecordStep
from loom.testing.clock import FakeClock
from loom.testing.contracts.streaming import flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from loom.testing.contracts.streaming_flows import Order


async def test_the_first_error_is_told_where_the_last_commit_fails_too() -> None:
    """A broker that goes away while a step fails does not hide the step's error, and costs only a second reading."""
    topics = MemoryTopics(MemoryTopicsSettings(partitions=1), clock=FakeClock())
    bench = Bench(InlineStreamEngine(InlineStreamingSettings(poll_records=1)), FaultyTopics(topics))
    broken = threading.Event()

    class Breaking(RecordStep[Order, Order]):
        def process(self, order: Order) -> Order:
            if order.id == 1 and not broken.is_set():
                broken.set()
                topics.go_down()
                raise ValueError("and the broker with it")
            return order

    await bench.send("in", orders(3))
    flow = flow_of(bench, Breaking, into(bench))
    with pytest.raises(StepFailed, match="and the broker with it"):
        await bench.run(flow)
    bench.give_up_after = 0
    with pytest.raises(EngineFailure, match="the in-memory broker is down") as failure:
        await bench.run(flow)
    assert isinstance(failure.value.__cause__, Unavailable)
    topics.come_up()
    await bench.run(flow)
    assert await bench.ids("out") == [0, 1, 2]
