"""What every stream engine must do with a step that returns something else than it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from loom.application.streaming.failure import skip
from loom.application.streaming.flow import Step
from loom.application.streaming.nodes.batch import BatchStep
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.expand import ExpandStep
from loom.application.streaming.nodes.record import RecordStep
from loom.domain.errors import StepFailed
from loom.domain.message import Envelope
from loom.testing.contracts.streaming import FOREVER, StreamBase, flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench
from loom.testing.contracts.streaming_flows import Double, Order, Total


class Forgot(RecordStep[Order, Order]):
    """Has no return for one record."""

    def process(self, order: Order) -> Order:  # type: ignore[return]  # noqa: RET503
        if order.id != 1:
            return order


class ForgotLater(RecordStep[Order, Order]):
    """The same, async."""

    async def process(self, order: Order) -> Order:
        return order if order.id != 1 else None  # type: ignore[return-value]


class Plain(RecordStep[Order, Order]):
    """Returns a dictionary for one record."""

    def process(self, order: Order) -> Order:
        return order if order.id != 1 else {"id": 1, "amount": "none"}  # type: ignore[return-value]


class Other(RecordStep[Order, Order]):
    """Returns another class."""

    def process(self, order: Order) -> Order:
        return order if order.id != 1 else Total(ids=[], amount=0)  # type: ignore[return-value]


class NotAwaited(RecordStep[Order, Order]):
    """Returns a coroutine."""

    def process(self, order: Order) -> Order:
        return order if order.id != 1 else self.later(order)  # type: ignore[return-value]

    async def later(self, order: Order) -> Order:
        return order


class NoEnvelope(RecordStep[Order, Envelope[Order]]):
    """Says envelopes, and returns a payload."""

    def process(self, order: Order) -> Envelope[Order]:
        return Envelope(payload=order) if order.id != 1 else order  # type: ignore[return-value]


class EmptyEnvelope(RecordStep[Order, Envelope[Order]]):
    """Returns an envelope around nothing."""

    def process(self, order: Order) -> Envelope[Order]:
        return Envelope(payload=order if order.id != 1 else None)  # type: ignore[arg-type]


class ExpandsNone(ExpandStep[Order, Order]):
    """Returns no list."""

    def process(self, order: Order) -> list[Order]:
        return [order] if order.id != 1 else None  # type: ignore[return-value]


class ExpandsText(ExpandStep[Order, Order]):
    """Returns a list with something else in it."""

    def process(self, order: Order) -> list[Order]:
        return [order, *(["x"] if order.id == 1 else [])]  # type: ignore[list-item]


class BatchOfNone(BatchStep[Order, Order]):
    """Returns a list as long as the batch, with nothing in one place."""

    def process(self, batch: Sequence[Order]) -> list[Order]:
        return [order if order.id != 1 else None for order in batch]  # type: ignore[misc]


class BatchReturnsNone(BatchStep[Order, Order]):
    """Returns no list."""

    def process(self, batch: Sequence[Order]) -> Sequence[Order]:
        return batch if all(order.id != 1 for order in batch) else None  # type: ignore[return-value]


class NoTotal(BatchStep[Order, Order]):
    """Makes one record of a batch, or none."""

    def process(self, batch: Sequence[Order]) -> Order:
        return batch[0] if all(order.id != 1 for order in batch) else None  # type: ignore[return-value]


class Anything(RecordStep[Order, Any]):
    """Says nothing of what it returns."""

    def process(self, order: Order) -> Any:
        return order if order.id != 1 else None


MESSAGES: dict[type[Step], str] = {
    Forgot: "Forgot returned NoneType, not Order",
    ForgotLater: "ForgotLater returned NoneType, not Order",
    Plain: "Plain returned dict, not Order",
    Other: "Other returned Total, not Order",
    NotAwaited: "NotAwaited returned a coroutine, not Order. write async def process, and await it",
    NoEnvelope: "NoEnvelope returned Order, not Envelope[Order]",
    EmptyEnvelope: "EmptyEnvelope returned NoneType, not Order",
    ExpandsNone: "ExpandsNone returned NoneType, not list[Order]",
    ExpandsText: "ExpandsText returned str, not Order",
    BatchOfNone: "BatchOfNone returned NoneType, not Order",
    BatchReturnsNone: "BatchReturnsNone returned NoneType, not list[Order]",
    NoTotal: "NoTotal returned NoneType, not Order",
    Anything: "Anything gave NoneType, not Order",
}


class StreamResultContract(StreamBase):
    """It is a failure of the step, under its policy, and nothing of it reaches a topic."""

    @pytest.mark.parametrize("step", MESSAGES, ids=lambda step: step.__name__)
    async def test_a_wrong_result_takes_the_error_route(self, bench: Bench, step: type[Step]) -> None:
        """With what was returned, and what should have been; other records are written."""
        await bench.send("in", orders(3))
        first = [CollectBatch(3, FOREVER)] if issubclass(step, BatchStep) else []
        await bench.run(flow_of(bench, Double, *first, step, into(bench), letters=True))
        assert await bench.ids("out") == [0, 2]
        assert [(letter.offset, letter.message) for letter in await bench.letters()] == [
            (1, f"StepFailed: {MESSAGES[step]}")
        ]

    async def test_without_a_route_it_stops_the_flow(self, bench: Bench) -> None:
        """What stands before it is written and committed."""
        await bench.send("in", orders(3))
        flow = flow_of(bench, Forgot, into(bench))
        for _ in range(2):
            with pytest.raises(StepFailed, match="Forgot returned NoneType, not Order"):
                await bench.run(flow)
            assert await bench.ids("out") == [0]

    async def test_it_may_be_skipped(self, bench: Bench) -> None:
        """As any failure may."""

        class Skipped(Forgot):
            on_error = skip()

        await bench.send("in", orders(3))
        report = await bench.run(flow_of(bench, Skipped, into(bench)))
        assert await bench.ids("out") == [0, 2]
        assert report.skipped == 1
