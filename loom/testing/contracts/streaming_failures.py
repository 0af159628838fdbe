"""What every stream engine must do where something fails: see ``loom.testing.contracts.streaming``."""

from __future__ import annotations

import pytest

from loom.application.streaming.failure import dead_letter, retry, skip
from loom.application.streaming.flow import FromTopic, Process, StreamFlow
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.domain.errors import EngineFailure, MalformedInput, RecordRefused, StepFailed
from loom.testing.contracts.streaming import FOREVER, StreamBase, flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench
from loom.testing.contracts.streaming_flows import (
    AsyncRetrying,
    Copies,
    Failing,
    First,
    Lettering,
    Order,
    Retrying,
    RetryThenSkip,
    Second,
    Skipping,
    Store,
    Sum,
    Total,
)

POISON = b'{"id": "no number"'
ALWAYS = 1_000


class StreamFailureContract(StreamBase):
    """Policies, dead letters, and a flow that stops: nothing is lost, and nothing past a failure is committed."""

    async def test_poison_goes_to_the_error_route_as_it_came(self, bench: Bench) -> None:
        """Key, bytes, headers, origin, code and attempts are kept, and the flow goes on."""
        await bench.send("in", orders(1))
        await bench.send("in", [POISON], headers={"x-correlation-id": "abc"})
        await bench.send("in", orders(1, start=1))
        report = await bench.run(flow_of(bench, into(bench), letters=True))
        assert await bench.ids("out") == [0, 1]
        (letter,) = await bench.letters()
        assert (letter.key, letter.value, letter.headers["x-correlation-id"]) == ("raw", POISON, "abc")
        assert (letter.topic, letter.partition, letter.offset) == (bench.name("in"), 0, 1)
        assert (letter.code, letter.step, letter.attempts) == (
            "LOOM-MALFORMED",
            f"FromTopic({bench.name('in')!r})",
            1,
        )
        (received,) = await bench.received("dlq")
        assert (received.record.key, received.record.headers["x-correlation-id"]) == ("raw", "abc")
        assert (report.read, report.dead_letters) == (3, 1)

    async def test_input_of_the_wrong_shape_is_poison(self, bench: Bench) -> None:
        """The letter says which field."""
        await bench.send("in", [b'{"id": "one", "amount": 2}'])
        await bench.run(flow_of(bench, into(bench), letters=True))
        (letter,) = await bench.letters()
        assert letter.code == "LOOM-INPUT"
        assert "/id" in letter.message

    async def test_a_failing_step_sends_its_record_to_the_error_route(self, bench: Bench) -> None:
        """That record alone; the letter names the step."""
        bench.ledger.broken["Second", 3] = ALWAYS
        await bench.send("in", orders(6))
        flow = flow_of(bench, First, Second, into(bench), letters=True)
        await bench.run(flow)
        assert await bench.ids("out") == [0, 1, 2, 4, 5]
        (letter,) = await bench.letters()
        assert (letter.key, letter.offset, letter.code, letter.step, letter.attempts) == (
            "3",
            3,
            "LOOM-STEP",
            "Second",
            1,
        )
        assert letter.message == "ValueError: Second does not like 3"
        assert (await bench.run(flow)).read == 0

    async def test_a_step_may_name_a_topic_of_its_own(self, bench: Bench) -> None:
        """Without an error route of the flow."""
        topic = bench.name("other")

        class Own(First):
            on_error = dead_letter(topic)

        bench.ledger.broken["Own", 1] = ALWAYS
        await bench.send("in", orders(3))
        await bench.run(flow_of(bench, Own, into(bench)))
        assert await bench.ids("out") == [0, 2]
        assert [letter.step for letter in await bench.letters("other")] == ["Own"]

    async def test_a_retry_that_succeeds_leaves_no_trace(self, bench: Bench) -> None:
        """The steps before it do not run again, and the order is kept."""
        bench.ledger.broken["Retrying", 2] = 3
        await bench.send("in", orders(5))
        report = await bench.run(flow_of(bench, First, Retrying, Second, into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2, 3, 4]
        assert bench.ledger.ids("First") == bench.ledger.ids("Second") == [0, 1, 2, 3, 4]
        assert bench.ledger.ids("Retrying") == [0, 1, 2, 2, 2, 2, 3, 4]
        assert (report.retries, report.dead_letters) == (3, 0)

    async def test_a_retry_that_never_succeeds_counts_its_attempts(self, bench: Bench) -> None:
        """Sync and async alike."""
        bench.ledger.broken["Retrying", 1] = bench.ledger.broken["AsyncRetrying", 2] = ALWAYS
        await bench.send("in", orders(4))
        await bench.run(flow_of(bench, Retrying, AsyncRetrying, into(bench), letters=True))
        assert await bench.ids("out") == [0, 3]
        assert [(letter.step, letter.attempts) for letter in await bench.letters()] == [
            ("Retrying", 4),
            ("AsyncRetrying", 4),
        ]

    async def test_skip_drops_the_record_and_counts_it(self, bench: Bench) -> None:
        """At once, or after retries."""
        bench.ledger.broken["Skipping", 1] = bench.ledger.broken["RetryThenSkip", 3] = ALWAYS
        await bench.send("in", orders(5))
        flow = flow_of(bench, Skipping, RetryThenSkip, into(bench))
        report = await bench.run(flow)
        assert await bench.ids("out") == [0, 2, 4]
        assert (report.skipped, report.retries) == (2, 1)
        assert (await bench.run(flow)).read == 0

    async def test_without_a_route_a_failing_step_stops_the_flow(self, bench: Bench) -> None:
        """The error names flow, step and record, and has the real cause; a later run loses nothing."""
        bench.ledger.broken["Second", 3] = 1
        await bench.send("in", orders(6))
        flow = flow_of(bench, First, Second, into(bench))
        with pytest.raises(StepFailed) as failure:
            await bench.run(flow)
        where = f"Second of flow {bench.name('flow')} failed on {bench.name('in')}[0]@3"
        assert failure.value.message == f"{where}: ValueError: Second does not like 3"
        assert isinstance(failure.value.__cause__, ValueError)
        await bench.run(flow)
        assert sorted(set(await bench.ids("out"))) == [0, 1, 2, 3, 4, 5]

    async def test_a_step_may_insist_on_stopping(self, bench: Bench) -> None:
        """``fail()`` wins over the flow's error route, and dead_letter() uses it."""
        bench.ledger.broken["Lettering", 1] = bench.ledger.broken["Failing", 2] = 1
        await bench.send("in", orders(4))
        flow = flow_of(bench, Lettering, Failing, into(bench), letters=True)
        with pytest.raises(StepFailed, match="Failing of flow"):
            await bench.run(flow)
        await bench.run(flow)
        assert {letter.step for letter in await bench.letters()} == {"Lettering"}
        assert set(await bench.ids("out")) >= {0, 2, 3}

    async def test_without_a_route_poison_stops_the_flow(self, bench: Bench) -> None:
        """What stands before it is written and committed; the poison itself comes again."""
        await bench.send("in", [*orders(2), POISON, *orders(1, start=2)])
        flow = flow_of(bench, into(bench))
        for expected in (3, 1):
            with pytest.raises(EngineFailure, match=r"failed on .*\[0\]@2: MalformedInput") as failure:
                await bench.run(flow)
            assert isinstance(failure.value.__cause__, MalformedInput)
            assert await bench.ids("out") == [0, 1], expected

    async def test_poison_may_be_skipped(self, bench: Bench) -> None:
        """The source has a policy too."""
        await bench.send("in", [*orders(1), POISON, *orders(1, start=1)])
        source = FromTopic(bench.name("in"), payload=Order, on_error=skip())
        report = await bench.run(StreamFlow(bench.name("flow"), source, Process(into(bench))))
        assert await bench.ids("out") == [0, 1]
        assert report.skipped == 1

    async def test_a_failing_sink_sends_its_records_to_the_error_route(self, bench: Bench) -> None:
        """That record alone: what can be written is written."""
        bench.topics.refused[bench.name("out"), "0"] = ALWAYS
        await bench.send("in", orders(3))
        report = await bench.run(flow_of(bench, CollectBatch(3, FOREVER), into(bench), letters=True))
        assert await bench.ids("out") == [1, 2]
        (letter,) = await bench.letters()
        assert (letter.offset, letter.code, letter.step, letter.attempts) == (
            0,
            "LOOM-RECORD-REFUSED",
            f"IntoTopic({bench.name('out')!r})",
            1,
        )
        assert (report.written, report.dead_letters) == ({bench.name("out"): 2}, 1)

    async def test_a_sink_may_try_again(self, bench: Bench) -> None:
        """The record that was refused, and no other one."""
        bench.topics.refused[bench.name("out"), "1"] = 3
        await bench.send("in", orders(3))
        sink = IntoTopic(bench.name("out"), payload=Order, on_error=retry(5, backoff=0.001))
        report = await bench.run(flow_of(bench, CollectBatch(3, FOREVER), sink))
        assert await bench.ids("out") == [0, 2, 1]
        assert report.retries == 3

    async def test_without_a_route_a_failing_sink_stops_the_flow(self, bench: Bench) -> None:
        """Nothing is committed before it is written: the next run reads it again."""
        bench.topics.refused[bench.name("out"), "0"] = 1
        await bench.send("in", orders(3))
        flow = flow_of(bench, CollectBatch(3, FOREVER), into(bench))
        with pytest.raises(EngineFailure, match="topic out refuses 0") as failure:
            await bench.run(flow)
        assert isinstance(failure.value.__cause__, RecordRefused)
        assert await bench.ids("out") == [1, 2]
        assert (await bench.run(flow)).read == 3
        assert await bench.ids("out") == [1, 2, 0, 1, 2]

    async def test_a_failing_batch_is_tried_in_halves(self, bench: Bench) -> None:
        """Down to the record that is at fault, which alone has a letter."""
        bench.ledger.broken["Store", 1] = ALWAYS
        await bench.send("in", orders(4))
        flow = flow_of(bench, CollectBatch(2, FOREVER), Store, letters=True)
        await bench.run(flow)
        assert [(letter.key, letter.step, letter.attempts) for letter in await bench.letters()] == [("1", "Store", 2)]
        assert bench.ledger.ids("Store")[-2:] == [2, 3]
        assert (await bench.run(flow)).read == 0

    async def test_a_record_made_of_many_has_a_letter_for_each(self, bench: Bench) -> None:
        """And a record of which many were made has one for each that fails."""
        bench.topics.refused[bench.name("out"), None] = 1
        await bench.send("in", [Order(id=0, amount=2), Order(id=1, amount=1)])
        nodes = Copies, CollectBatch(3, FOREVER), Sum, into(bench, "out", Total)
        report = await bench.run(flow_of(bench, *nodes, letters=True))
        assert [letter.key for letter in await bench.letters()] == ["0", "1"]
        assert report.dead_letters == 2
