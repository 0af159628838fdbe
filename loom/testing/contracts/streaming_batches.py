"""What every stream engine must do with batches: whose key a result carries, and which record of a batch has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from loom.application.streaming.failure import Failed, retry
from loom.application.streaming.nodes.batch import BatchStep
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.each import ForEach
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.domain.errors import Unavailable
from loom.domain.expr import payload
from loom.domain.message import Envelope
from loom.testing.contracts.streaming import FOREVER, StreamBase, flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench
from loom.testing.contracts.streaming_flows import DoubleAll, Ledger, Order, Sum, Total


class Newest(BatchStep[Order, Order]):
    """Sorts, with new objects."""

    def process(self, batch: Sequence[Order]) -> list[Order]:
        return sorted((attrs.evolve(order) for order in batch), key=lambda order: -order.id)


class NewestSame(BatchStep[Order, Order]):
    """Sorts the objects themselves, and leaves one out."""

    def process(self, batch: Sequence[Order]) -> list[Order]:
        return sorted((order for order in batch if order.id != 1), key=lambda order: -order.id)


class NewestEnvelopes(BatchStep[Envelope[Order], Envelope[Order]]):
    """Sorts envelopes, with new payloads in them."""

    def process(self, batch: Sequence[Envelope[Order]]) -> list[Envelope[Order]]:
        changed = [attrs.evolve(each, payload=attrs.evolve(each.payload, note="x")) for each in batch]
        return sorted(changed, key=lambda each: -each.payload.id)


class Answering(BatchStep[Order, Order]):
    """Answers position by position, and fails on what the ledger says."""

    on_error = retry(1, backoff=0.001)

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def process(self, batch: Sequence[Order]) -> list[Order | Failed]:
        return list(await asyncio.gather(*(self.one(order) for order in batch)))

    async def one(self, order: Order) -> Order | Failed:
        await asyncio.sleep(0)
        try:
            self.ledger.called("Answering", order.id)
        except ValueError as error:
            return Failed(error)
        return attrs.evolve(order, note="answered")


class Storing(BatchStep[Order, None]):
    """Ends the path, and says which records it could not store."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def process(self, batch: Sequence[Order]) -> list[Failed | None]:
        return [Failed(ValueError(f"no {order.id}")) if order.id == 2 else None for order in batch]


class Raising(BatchStep[Order, Order]):
    """Raises for the first record that the ledger says."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def process(self, batch: Sequence[Order]) -> Sequence[Order]:
        for order in batch:
            self.ledger.called("Raising", order.id)
        return batch


class StreamBatchContract(StreamBase):
    """Batches are a matter of how records happened to arrive: nothing that is written may depend on it."""

    @pytest.mark.parametrize("size", [1, 3, 4])
    async def test_sorted_payloads_carry_no_other_records_key(self, bench: Bench, size: int) -> None:
        """New objects have none, whatever the length of the list."""
        await bench.send("in", orders(3), headers={"h": "1"})
        await bench.run(flow_of(bench, CollectBatch(size, FOREVER), Newest, into(bench)))
        assert [one.record.key for one in await bench.received("out")] == [None] * 3
        assert sorted(await bench.ids("out")) == [0, 1, 2]

    async def test_the_same_objects_keep_their_keys(self, bench: Bench) -> None:
        """Sorted, and also where some were left out."""
        await bench.send("in", orders(4))
        await bench.run(flow_of(bench, CollectBatch(4, FOREVER), NewestSame, into(bench)))
        assert await bench.ids("out") == [3, 2, 0]
        assert [one.record.key for one in await bench.received("out")] == ["3", "2", "0"]

    async def test_envelopes_keep_what_is_in_them(self, bench: Bench) -> None:
        """Whoever returns envelopes says what the key is."""
        await bench.send("in", orders(3))
        await bench.run(flow_of(bench, CollectBatch(3, FOREVER), NewestEnvelopes, into(bench)))
        assert [(one.record.key) for one in await bench.received("out")] == ["2", "1", "0"]
        assert await bench.ids("out") == [2, 1, 0]

    async def test_a_sink_may_declare_the_key_of_new_records(self, bench: Bench) -> None:
        """Which is the way for steps that make new payloads."""
        await bench.send("in", orders(3))
        sink = IntoTopic(bench.name("out"), payload=Order, key=payload.id)
        await bench.run(flow_of(bench, CollectBatch(3, FOREVER), DoubleAll, ForEach(), sink))
        assert [one.record.key for one in await bench.received("out")] == ["0", "1", "2"]

    @pytest.mark.parametrize("kind", [NewestSame, NewestEnvelopes])
    async def test_a_sorted_record_that_fails_later_is_the_one_in_the_letter(
        self, bench: Bench, kind: type[BatchStep[Order, Order]]
    ) -> None:
        """And nothing else is."""
        bench.ledger.broken["Raising", 3] = 1_000
        await bench.send("in", orders(4))
        flow = flow_of(bench, CollectBatch(4, FOREVER), kind, Raising, into(bench), letters=True)
        await bench.run(flow)
        assert [(letter.key, letter.offset) for letter in await bench.letters()] == [("3", 3)]
        assert (await bench.run(flow)).read == 0

    async def test_new_records_that_fail_later_lose_none_that_may_be_theirs(self, bench: Bench) -> None:
        """Nobody knows of which record they were made, so each of the batch has a letter."""
        bench.ledger.broken["Raising", 2] = 1_000
        await bench.send("in", orders(3))
        flow = flow_of(bench, CollectBatch(3, FOREVER), Newest, Raising, into(bench), letters=True)
        await bench.run(flow)
        assert sorted(letter.offset for letter in await bench.letters()) == [0, 1, 2]
        assert (await bench.run(flow)).read == 0

    @pytest.mark.parametrize("size", [1, 2, 7, 20])
    async def test_one_bad_record_takes_no_other_with_it(self, bench: Bench, size: int) -> None:
        """However batches fill, and each letter has the error of its own record."""
        bench.ledger.broken["Raising", 3] = bench.ledger.broken["Raising", 11] = 1_000
        await bench.send("in", orders(20))
        report = await bench.run(flow_of(bench, CollectBatch(size, FOREVER), Raising, into(bench), letters=True))
        assert await bench.ids("out") == [n for n in range(20) if n not in (3, 11)]
        assert [(letter.offset, letter.message, letter.attempts) for letter in await bench.letters()] == [
            (3, "ValueError: Raising does not like 3", 1),
            (11, "ValueError: Raising does not like 11", 1),
        ]
        assert report.written == {bench.name("out"): 18}

    @pytest.mark.parametrize("size", [1, 3, 10])
    async def test_a_step_may_answer_position_by_position(self, bench: Bench, size: int) -> None:
        """The record that failed takes the policy alone, and the others are not handled again."""
        bench.ledger.broken["Answering", 1], bench.ledger.broken["Answering", 4] = 1_000, 1
        await bench.send("in", orders(6))
        flow = flow_of(bench, CollectBatch(size, FOREVER), Answering, into(bench), letters=True)
        report = await bench.run(flow)
        assert await bench.ids("out") == [0, 2, 3, 4, 5]
        assert [(letter.key, letter.message, letter.attempts) for letter in await bench.letters()] == [
            ("1", "ValueError: Answering does not like 1", 2)
        ]
        assert sorted(bench.ledger.ids("Answering")) == [0, 1, 1, 2, 3, 4, 4, 5]
        assert (report.retries, (await bench.run(flow)).read) == (2, 0)

    async def test_a_failure_by_position_names_its_record_later_too(self, bench: Bench) -> None:
        """What a positional step made of a record stays that record's."""
        bench.topics.refused[bench.name("out"), "2"] = 1
        await bench.send("in", orders(4))
        sink = IntoTopic(bench.name("out"), payload=Order, key=payload.id)
        await bench.run(flow_of(bench, CollectBatch(4, FOREVER), Answering, sink, letters=True))
        assert [letter.offset for letter in await bench.letters()] == [2]

    async def test_a_batch_that_ends_may_answer_too(self, bench: Bench) -> None:
        """With nothing for what was stored."""
        await bench.send("in", orders(4))
        flow = flow_of(bench, CollectBatch(4, FOREVER), Storing, letters=True)
        await bench.run(flow)
        assert [(letter.offset, letter.message) for letter in await bench.letters()] == [(2, "ValueError: no 2")]
        assert (await bench.run(flow)).read == 0

    async def test_an_outage_told_by_position_is_no_failure(self, bench: Bench) -> None:
        """The record waits until the world is back."""
        left = [2]

        class Away(BatchStep[Order, Order]):
            def process(self, batch: Sequence[Order]) -> list[Order | Failed]:
                return [self.one(order) for order in batch]

            def one(self, order: Order) -> Order | Failed:
                if order.id == 1 and left[0]:
                    left[0] -= 1
                    return Failed(Unavailable("the partner is away"))
                return order

        await bench.send("in", orders(3))
        report = await bench.run(flow_of(bench, CollectBatch(3, FOREVER), Away, into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2]
        assert report.dead_letters == 0

    async def test_a_wrong_number_of_answers_is_a_failure(self, bench: Bench) -> None:
        """Nobody could say whose the others are; alone, each record has its answer."""

        class Short(BatchStep[Order, Order]):
            def process(self, batch: Sequence[Order]) -> list[Order | Failed]:
                return [batch[0]]

        await bench.send("in", orders(3))
        await bench.run(flow_of(bench, CollectBatch(3, FOREVER), Short, into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2]

    async def test_one_record_of_many_is_made_of_the_parts_that_succeed(self, bench: Bench) -> None:
        """Of a batch with a bad record there are several sums, and nothing good is missing in them."""

        class Strict(Sum):
            def process(self, batch: Sequence[Order]) -> Total:
                if any(order.id == 2 for order in batch):
                    raise ValueError("no 2")
                return super().process(batch)

        await bench.send("in", orders(5))
        await bench.run(flow_of(bench, CollectBatch(5, FOREVER), Strict, into(bench, "out", Total), letters=True))
        assert [total.ids for total in await bench.read("out", Total)] == [[0, 1], [3, 4]]
        assert [letter.offset for letter in await bench.letters()] == [2]
