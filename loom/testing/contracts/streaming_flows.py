"""Payloads and steps of the contract of stream engines."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import attrs

from loom.application.streaming.failure import dead_letter, fail, retry, skip
from loom.application.streaming.nodes.batch import BatchStep
from loom.application.streaming.nodes.expand import ExpandStep
from loom.application.streaming.nodes.record import RecordStep
from loom.domain.frozen import frozen
from loom.domain.message import Envelope


@frozen(kw_only=True)
class Order:
    """What the flows read."""

    id: int
    amount: int
    note: str | None = None


@frozen(kw_only=True)
class Priced:
    """What a step makes of an order."""

    id: int
    price: int


@frozen(kw_only=True)
class Total:
    """What a batch adds up to."""

    ids: list[int]
    amount: int


@attrs.define(eq=False)
class Ledger:
    """Given to steps by their constructor: remembers calls, and says which ones are to fail.

    Attributes:
        calls: every call, as ``(step, id)``.
        broken: how often a step is still to fail on an id, by ``(step, id)``.
    """

    calls: list[tuple[str, int]] = attrs.field(factory=list)
    broken: Counter[tuple[str, int]] = attrs.field(factory=Counter)

    def called(self, step: str, order_id: int) -> None:
        """Remember a call, and raise where it is to fail."""
        self.calls.append((step, order_id))
        if self.broken[step, order_id] > 0:
            self.broken[step, order_id] -= 1
            raise ValueError(f"{step} does not like {order_id}")

    async def wait_for(self, step: str, count: int, *, patience: float) -> None:
        """Wait until a step was called so often."""
        async with asyncio.timeout(patience):
            while len(self.ids(step)) < count:  # noqa: ASYNC110 - a step calls from a thread of the engine's own
                await asyncio.sleep(0.01)

    def ids(self, step: str) -> list[int]:
        """The ids that a step was called with, in order."""
        return [order_id for name, order_id in self.calls if name == step]


class Double(RecordStep[Order, Order]):
    """Sync, and needs nothing."""

    def process(self, payload: Order) -> Order:
        return attrs.evolve(payload, amount=payload.amount * 2)


class Price(RecordStep[Order, Priced]):
    """Changes the type."""

    def process(self, payload: Order) -> Priced:
        return Priced(id=payload.id, price=payload.amount + 1)


class Later(RecordStep[Order, Order]):
    """Waits for the event loop, and longer for even ids."""

    async def process(self, payload: Order) -> Order:
        for _ in range(1 + payload.id % 2):
            await asyncio.sleep(0)
        return attrs.evolve(payload, amount=payload.amount + 100)


class _Watched(RecordStep[Order, Order]):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def process(self, payload: Order) -> Order:
        self.ledger.called(type(self).__name__, payload.id)
        return payload


class First(_Watched):
    """Watched; its failures are the flow's affair."""


class Second(_Watched):
    """As ``First``."""


class Failing(_Watched):
    """Stops the flow even where there is an error route."""

    on_error = fail()


class Skipping(_Watched):
    """Drops what it cannot handle."""

    on_error = skip()


class Retrying(_Watched):
    """Tries three more times, then does what the flow does by default."""

    on_error = retry(3, backoff=0.001)


class RetryThenSkip(_Watched):
    """Tries once more, then drops."""

    on_error = retry(1, backoff=0.001, then=skip())


class Lettering(_Watched):
    """Sends what it cannot handle to the flow's error route."""

    on_error = dead_letter()


class AsyncRetrying(RecordStep[Order, Order]):
    """As ``Retrying``, but async."""

    on_error = retry(3, backoff=0.001)

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def process(self, payload: Order) -> Order:
        await asyncio.sleep(0)
        self.ledger.called("AsyncRetrying", payload.id)
        return payload


class Relabel(RecordStep[Envelope[Order], Envelope[Order]]):
    """Takes and gives whole envelopes."""

    def process(self, payload: Envelope[Order]) -> Envelope[Order]:
        headers = {**payload.headers, "was": payload.key or ""}
        return attrs.evolve(payload, key=f"new-{payload.payload.id}", headers=headers)


class Copies(ExpandStep[Order, Order]):
    """As many copies as the amount says."""

    def process(self, payload: Order) -> list[Order]:
        return [attrs.evolve(payload, note=f"{payload.id}/{n}") for n in range(payload.amount)]


class Sum(BatchStep[Order, Total]):
    """A batch becomes one record."""

    def process(self, batch: Sequence[Order]) -> Total:
        return Total(ids=[order.id for order in batch], amount=sum(order.amount for order in batch))


class DoubleAll(BatchStep[Order, Order]):
    """A batch stays a batch of the same length."""

    def process(self, batch: Sequence[Order]) -> list[Order]:
        return [attrs.evolve(order, amount=order.amount * 2) for order in batch]


class OnlyEven(BatchStep[Order, Order]):
    """A batch becomes a shorter one."""

    async def process(self, batch: Sequence[Order]) -> list[Order]:
        return [order for order in batch if order.id % 2 == 0]


class Store(BatchStep[Order, None]):
    """Ends the path."""

    on_error = retry(1, backoff=0.001)

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def process(self, batch: Sequence[Order]) -> None:
        for order in batch:
            self.ledger.called("Store", order.id)


class Note(RecordStep[Order, None]):
    """Ends the path, record by record."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def process(self, payload: Order) -> None:
        self.ledger.called("Note", payload.id)
