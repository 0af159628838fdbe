"""One run of a flow against its topics: reading and decoding, committing, and opening operators."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs

from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.plan import BranchPlan, SinkPlan, SourcePlan, StagePlan, TransformPlan
from loom.application.streaming.running.guard import Guard, Guarded
from loom.application.streaming.running.items import Item, Lineage
from loom.application.streaming.running.letters import Letters
from loom.application.streaming.running.offsets import OffsetTracker
from loom.application.streaming.running.operators import (
    BRANCHES,
    SINKS,
    TRANSFORMS,
    Branch,
    Opening,
    Sink,
    Transform,
)
from loom.application.streaming.running.tally import Tally
from loom.domain.errors import LoomError
from loom.domain.message import Envelope
from loom.ports.streaming import FlowReport
from loom.ports.transport import ReceivedRecord, TopicConsumer

T = TypeVar("T")


@attrs.define(eq=False)
class FlowSession:
    """What an engine holds while it runs a flow. Every coroutine of it belongs to the event loop that opened it."""

    flow: BoundFlow
    _consumer: TopicConsumer
    _opening: Opening
    _tracker: OffsetTracker = attrs.field(factory=OffsetTracker, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)

    async def poll(self, *, limit: int, timeout: float) -> list[Item]:
        """Read and decode up to ``limit`` records; waits at most ``timeout`` seconds for the first one.

        Raises:
            EngineFailure: a record cannot be decoded and the policy is to stop. What stands before it was given by
                the call before, so that it can still be handled and committed.
        """
        if self._failure is not None:
            raise self._failure
        received = await self._consumer.poll(limit=limit, timeout=timeout)
        self._opening.tally.read += len(received)
        return await self._decoded(received)

    async def caught_up(self) -> bool:
        """Whether everything that the source holds now has been given to this run."""
        return self._failure is None and await self._consumer.caught_up()

    async def commit(self) -> None:
        """Commit every source record from which nothing is under way any more."""
        done = self._tracker.committable()
        if done:
            await self._consumer.commit(done)

    def transform(self, plan: TransformPlan) -> Transform:
        """Open a transform."""
        return _required(TRANSFORMS.of(plan), plan)(plan, self._opening)

    def branch(self, plan: BranchPlan) -> Branch:
        """Open a branch."""
        return _required(BRANCHES.of(plan), plan)(plan, self._opening)

    def sink(self, plan: SinkPlan) -> Sink:
        """Open a sink."""
        return _required(SINKS.of(plan), plan)(plan, self._opening)

    def report(self) -> FlowReport:
        """The counts so far."""
        return self._opening.tally.report()

    async def _decoded(self, received: Sequence[ReceivedRecord]) -> list[Item]:
        source = self.flow.plan.source
        items: list[Item] = []
        for one in received:
            done = self._tracker.opened(one.origin)
            try:
                payload = self._opening.codec.decode(one.record.value, source.payload)
            except Exception as error:  # noqa: BLE001 - whatever makes a record undecodable, the policy decides
                try:
                    await self._poison(source, one, error)
                except Exception as failure:  # noqa: BLE001 - raised by the next poll
                    self._failure = failure
                    return items
                done()
            else:
                items.append(Item(_envelope(one, payload), Lineage(sources=(one,), done=done)))
        return items

    async def _poison(self, source: SourcePlan, received: ReceivedRecord, error: Exception) -> None:
        # The same bytes give the same error: nothing is gained by another attempt.
        guarded = Guarded(name=source.title, failure=source.failure, by_user=False)
        await self._opening.guard.settle(source.failure.final, guarded, [received], error, 1)


@asynccontextmanager
async def open_session(flow: BoundFlow) -> AsyncIterator[FlowSession]:
    """Join the consumer group and open the producer; on the way out let go of both.

    After a failure what is done is committed first: that never reaches past a record that is not done.
    """
    plan, ports = flow.plan, flow.ports
    tally = Tally(flow=plan.name)
    producer = ports.topics.producer()
    consumer = ports.topics.consumer([plan.source.topic], group=plan.group)
    letters = Letters(producer=producer, codec=ports.codec, clock=ports.clock, tally=tally, route=plan.errors)
    opening = Opening(
        guard=Guard(flow=plan.name, clock=ports.clock, letters=letters, tally=tally),
        tally=tally,
        codec=ports.codec,
        clock=ports.clock,
        producer=producer,
        persistence=ports.persistence,
        steps=flow.steps,
    )
    session = FlowSession(flow, consumer, opening)
    try:
        yield session
    except BaseException:
        # The first error is the one to tell; without the commit, more is read again.
        with contextlib.suppress(LoomError):
            await session.commit()
        raise
    finally:
        try:
            await consumer.close()
        finally:
            await producer.close()


def _required(opener: T | None, plan: StagePlan) -> T:
    if opener is None:
        raise TypeError(f"{type(plan).__name__} says nowhere how it runs; register it")
    return opener


def _envelope(received: ReceivedRecord, payload: Any) -> Envelope[Any]:
    record = received.record
    return Envelope(
        payload=payload, key=record.key, headers=record.headers, timestamp=record.timestamp, origin=received.origin
    )
