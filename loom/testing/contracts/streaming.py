"""What every stream engine must do, over every broker. Subclass ``StreamContract`` and say how both are opened.

    class TestMyEngine(StreamContract):
        def make_engine(self) -> StreamEngine[BoundFlow]:
            return MyEngine(...)

        def make_topics(self) -> Topics:
            return MemoryTopics(...)

Needs pytest and pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import chain

import pytest
import pytest_asyncio

from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.flow import AnyNode, FromTopic, Process, StreamFlow
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.drain import Drain
from loom.application.streaming.nodes.each import ForEach
from loom.application.streaming.nodes.fork import Broadcast, Fork
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.application.streaming.nodes.router import Route, Router
from loom.domain.expr import msg, payload
from loom.domain.message import ErrorEnvelope
from loom.ports.streaming import StreamEngine
from loom.ports.transport import Topics
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from loom.testing.contracts.streaming_flows import (
    Copies,
    Double,
    DoubleAll,
    First,
    Later,
    Note,
    OnlyEven,
    Order,
    Price,
    Priced,
    Relabel,
    Second,
    Store,
    Sum,
    Total,
)

FOREVER = 3_600_000
"""Milliseconds; a batch with this timeout is closed by its count, or by the end of the flow."""


@pytest.mark.asyncio
class StreamBase:
    """The hooks, and what all flows of the contract have in common."""

    patience: float = 30.0
    """Seconds to wait for something that must happen."""

    def make_engine(self) -> StreamEngine[BoundFlow]:
        """Open the engine under test."""
        raise NotImplementedError

    def make_topics(self) -> Topics:
        """Open the broker under it. Called once a test; the suite closes what it returns."""
        raise NotImplementedError

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        opened = Bench(self.make_engine(), FaultyTopics(self.make_topics()), patience=self.patience)
        await opened.ensure("in", "out", "other", "dlq")
        yield opened
        await opened.topics.close()


def flow_of(bench: Bench, *nodes: AnyNode, letters: bool = False) -> StreamFlow:
    """A flow over the topic ``in``."""
    return StreamFlow(
        name=bench.name("flow"),
        source=FromTopic(bench.name("in"), payload=Order),
        process=Process(*nodes),
        errors=IntoTopic(bench.name("dlq"), payload=ErrorEnvelope) if letters else None,
    )


def into(bench: Bench, word: str = "out", payload_type: type = Order) -> IntoTopic:
    """A sink."""
    return IntoTopic(bench.name(word), payload=payload_type)


def orders(count: int, *, start: int = 0) -> list[Order]:
    """Orders whose amount is ten times their id."""
    return [Order(id=n, amount=n * 10) for n in range(start, start + count)]


class StreamContract(StreamBase):
    """Shapes, routes, batches and order; what is written, and what is committed."""

    async def test_steps_run_one_after_the_other_and_keep_the_order(self, bench: Bench) -> None:
        """A chain of sync steps gives each record to each step once, in order."""
        await bench.send("in", orders(50))
        report = await bench.run(flow_of(bench, First, Double, Second, Price, into(bench, "out", Priced)))
        assert await bench.read("out", Priced) == [Priced(id=n, price=n * 20 + 1) for n in range(50)]
        assert bench.ledger.ids("First") == bench.ledger.ids("Second") == list(range(50))
        assert (report.read, report.written) == (50, {bench.name("out"): 50})

    async def test_async_steps_keep_the_order(self, bench: Bench) -> None:
        """Also where one record waits longer than the next."""
        await bench.send("in", orders(20))
        await bench.run(flow_of(bench, Double, Later, First, into(bench)))
        assert await bench.read("out", Order) == [Order(id=n, amount=n * 20 + 100) for n in range(20)]
        assert bench.ledger.ids("First") == list(range(20))

    async def test_a_record_takes_the_first_route_that_is_true(self, bench: Bench) -> None:
        """Others take the default."""
        await bench.send("in", orders(10))
        big = Route(when=payload.amount >= 80, process=into(bench))
        middle = Route(when=payload.amount >= 50, process=Process(Double, into(bench, "other")))
        await bench.run(flow_of(bench, Router(big, middle, default=Note)))
        assert await bench.ids("out") == [8, 9]
        assert await bench.ids("other") == [5, 6, 7]
        assert bench.ledger.ids("Note") == [0, 1, 2, 3, 4]

    async def test_routes_read_key_headers_and_null(self, bench: Bench) -> None:
        """A condition over something that is not there is not true, and neither is its opposite."""
        await bench.send("in", orders(2))
        await bench.send("in", orders(2, start=2), headers={"from": "web"})
        by_key = Route(when=msg.key == "3", process=into(bench))
        by_header = Route(when=(msg.headers["from"] == "web") | ~(payload.note == "x"), process=into(bench, "other"))
        await bench.run(flow_of(bench, Router(by_key, by_header, default=Note)))
        assert await bench.ids("out") == [3]
        assert await bench.ids("other") == [2]
        assert bench.ledger.ids("Note") == [0, 1]

    async def test_a_fork_copies_aside_and_goes_on(self, bench: Bench) -> None:
        """Both paths see everything, in order."""
        await bench.send("in", orders(5))
        await bench.run(flow_of(bench, Fork(into(bench, "other")), Double, into(bench)))
        assert await bench.read("other", Order) == orders(5)
        assert [order.amount for order in await bench.read("out", Order)] == [0, 20, 40, 60, 80]

    async def test_a_broadcast_gives_everything_to_every_path(self, bench: Bench) -> None:
        """One path does not see what another has made of a record."""
        await bench.send("in", orders(3))
        paths = Process(Double, into(bench)), Process(Relabel, into(bench, "other")), Process(Note)
        await bench.run(flow_of(bench, Broadcast(*paths)))
        assert [order.amount for order in await bench.read("out", Order)] == [0, 20, 40]
        assert await bench.read("other", Order) == orders(3)
        assert bench.ledger.ids("Note") == [0, 1, 2]

    async def test_one_record_becomes_many_or_none(self, bench: Bench) -> None:
        """A record that expands into nothing is done, and is not read again."""
        await bench.send("in", [Order(id=n, amount=n) for n in range(4)])
        flow = flow_of(bench, Copies, into(bench))
        await bench.run(flow)
        notes = [order.note for order in await bench.read("out", Order)]
        assert notes == ["1/0", "2/0", "2/1", "3/0", "3/1", "3/2"]
        assert (await bench.run(flow)).read == 0

    async def test_key_and_headers_travel_with_a_record(self, bench: Bench) -> None:
        """Through steps, batches and sinks, until a step says otherwise."""
        await bench.send("in", orders(2), headers={"x-correlation-id": "abc"})
        nodes = Double, CollectBatch(2, FOREVER), ForEach()
        await bench.run(flow_of(bench, *nodes, Fork(into(bench, "other")), Relabel, into(bench)))
        kept, changed = await bench.received("other"), await bench.received("out")
        assert [one.record.key for one in kept] == ["0", "1"]
        assert [dict(one.record.headers) for one in kept] == [{"x-correlation-id": "abc"}] * 2
        assert [one.record.key for one in changed] == ["new-0", "new-1"]
        assert [dict(one.record.headers) for one in changed] == [
            {"x-correlation-id": "abc", "was": key} for key in ("0", "1")
        ]

    async def test_a_sink_may_take_its_key_from_the_payload(self, bench: Bench) -> None:
        """As text; null is no key."""
        await bench.send("in", [Order(id=1, amount=5), Order(id=2, amount=6, note="n")])
        by_amount = IntoTopic(bench.name("other"), payload=Order, key=payload.amount)
        by_note = IntoTopic(bench.name("out"), payload=Order, key=payload.note)
        await bench.run(flow_of(bench, Broadcast(by_amount, by_note)))
        assert [one.record.key for one in await bench.received("other")] == ["5", "6"]
        assert [one.record.key for one in await bench.received("out")] == [None, "n"]

    async def test_batches_close_by_count_and_at_the_end(self, bench: Bench) -> None:
        """The last batch is as long as what was left."""
        await bench.send("in", orders(10))
        await bench.run(flow_of(bench, CollectBatch(4, FOREVER), Sum, into(bench, "out", Total)))
        totals = await bench.read("out", Total)
        assert [total.ids for total in totals] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert [total.amount for total in totals] == [60, 220, 170]

    async def test_batches_close_by_time(self, bench: Bench) -> None:
        """A batch that does not fill is given on all the same, while the flow goes on."""
        running = bench.start(flow_of(bench, CollectBatch(1000, 50), Sum, into(bench, "out", Total)))
        await bench.send("in", orders(3))
        await bench.wait_for("out", 1)
        await bench.send("in", orders(2, start=3))
        await bench.wait_for("out", 2)
        await running.end()
        ids = [total.ids for total in await bench.read("out", Total)]
        assert sorted(chain.from_iterable(ids)) == [0, 1, 2, 3, 4]

    async def test_a_batch_may_shrink_fill_another_and_end(self, bench: Bench) -> None:
        """Every record that went in is done, whatever became of it."""
        await bench.send("in", orders(7))
        flow = flow_of(bench, CollectBatch(3, FOREVER), OnlyEven, ForEach(), CollectBatch(2, FOREVER), Store)
        await bench.run(flow)
        assert bench.ledger.ids("Store") == [0, 2, 4, 6]
        assert (await bench.run(flow)).read == 0

    async def test_the_last_batch_still_fills_the_one_behind_it(self, bench: Bench) -> None:
        """At the end batches are closed from the source on, so that none is split."""
        await bench.send("in", orders(3))
        nodes = CollectBatch(2, FOREVER), ForEach(), CollectBatch(3, FOREVER), Sum, into(bench, "out", Total)
        await bench.run(flow_of(bench, *nodes))
        assert [total.ids for total in await bench.read("out", Total)] == [[0, 1, 2]]

    async def test_a_batch_goes_into_a_topic_record_by_record(self, bench: Bench) -> None:
        """A sink takes batches too."""
        await bench.send("in", orders(5))
        report = await bench.run(flow_of(bench, CollectBatch(2, FOREVER), DoubleAll, into(bench)))
        assert [order.amount for order in await bench.read("out", Order)] == [0, 20, 40, 60, 80]
        assert report.written == {bench.name("out"): 5}

    async def test_what_is_done_is_not_read_again(self, bench: Bench) -> None:
        """The next run starts behind the last."""
        flow = flow_of(bench, Router(Route(when=payload.id < 2, process=Drain()), default=into(bench)))
        await bench.send("in", orders(4))
        assert (await bench.run(flow)).read == 4
        await bench.send("in", orders(2, start=4))
        assert (await bench.run(flow)).read == 2
        assert await bench.ids("out") == [2, 3, 4, 5]

    async def test_a_stop_drains(self, bench: Bench) -> None:
        """What was read is finished and committed, batches that are still filling included."""
        flow = flow_of(bench, Fork(into(bench)), CollectBatch(1000, FOREVER), Sum, into(bench, "other", Total))
        running = bench.start(flow)
        await bench.send("in", orders(3))
        await bench.wait_for("out", 3)
        await running.end()
        assert [total.ids for total in await bench.read("other", Total)] == [[0, 1, 2]]
        assert (await bench.run(flow)).read == 0

    async def test_a_crash_loses_nothing_that_was_read(self, bench: Bench) -> None:
        """Records in a batch that never closed are read again."""
        flow = flow_of(bench, Fork(into(bench)), CollectBatch(1000, FOREVER), Sum, into(bench, "other", Total))
        running = bench.start(flow)
        await bench.send("in", orders(3))
        await bench.wait_for("out", 3)
        await running.crash()
        assert await bench.read("other", Total) == []
        assert (await bench.run(flow)).read == 3
        assert [total.ids for total in await bench.read("other", Total)] == [[0, 1, 2]]
