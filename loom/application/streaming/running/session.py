"""One run of a flow against its topics: reading and decoding, committing, and opening operators."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs

from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.plan import BranchPlan, SinkPlan, SourcePlan, StagePlan, TransformPlan
from loom.application.streaming.running.guard import Guard, Guarded
from loom.application.streaming.running.items import Item, Lineage
from loom.application.streaming.running.letters import Letters
from loom.application.streaming.running.notes import Notes
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
from loom.application.streaming.running.outage import World
from loom.application.streaming.running.pace import Pace
from loom.application.streaming.running.tally import Tally
from loom.domain.errors import ConfigError, Issue, LoomError, MalformedInput, NotFound
from loom.domain.message import Envelope, Origin
from loom.ports.streaming import FlowReport, StopSignal
from loom.ports.transport import ReceivedRecord, TopicConsumer, TopicProducer

logger = logging.getLogger("loom.streaming")

T = TypeVar("T")


@attrs.define(eq=False)
class FlowSession:
    """What an engine holds while it runs a flow. Every coroutine of it belongs to the event loop that opened it.

    A failure that stops the flow is held back until what stands before it has been handled: the engine gives it to
    ``hold``, reads no more, drains, commits, and then lets ``report`` raise it.
    """

    flow: BoundFlow
    _consumer: TopicConsumer
    _opening: Opening
    _tracker: OffsetTracker = attrs.field(factory=OffsetTracker, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)
    _pace: Pace = attrs.field(factory=Pace, init=False)
    _given: int = attrs.field(default=0, init=False)
    _given_at: float = attrs.field(default=0.0, init=False)
    # Done, and not confirmed as committed.
    _uncommitted: dict[tuple[str, int], Origin] = attrs.field(factory=dict, init=False)

    @property
    def failed(self) -> bool:
        """Whether something went wrong that stops the flow: there is to be no further ``poll``."""
        return self._failure is not None

    def hold(self, failure: Exception) -> None:
        """Keep the failure that stops the flow; the first one counts."""
        if self._failure is None:
            self._failure = failure

    async def poll(self, *, limit: int, timeout: float) -> list[Item]:
        """Read and decode up to ``limit`` records, and no more than can be handled in about a second.

        Waits at most ``timeout`` seconds for the first one. A record that cannot be decoded, where the policy is to
        stop, is held as the failure of the flow.

        Raises:
            EngineFailure: the broker was away for too long, or the topic does not exist.
        """
        self._pace.took(self._given, time.monotonic() - self._given_at)
        most = min(limit, self._pace.size)
        received = await self._opening.guard.world.through(
            self.flow.plan.source.title, lambda: self._read(most, timeout)
        )
        items = await self._decoded(received)
        self._given, self._given_at = len(received), time.monotonic()
        return items

    async def caught_up(self) -> bool:
        """Whether everything that the source holds now has been given to this run."""
        if self.failed:
            return False
        return await self._opening.guard.world.through(self.flow.plan.source.title, self._consumer.caught_up)

    async def commit(self) -> None:
        """Send the dead letters that wait, and commit every source record from which nothing is under way any more.

        Raises:
            EngineFailure: the broker was away for too long.
        """
        await self._opening.guard.letters.flush()
        for origin in self._tracker.committable():
            self._uncommitted[origin.topic, origin.partition] = origin
        if self._uncommitted:
            done = list(self._uncommitted.values())
            await self._opening.guard.world.through(
                f"committing {self.flow.plan.source.title}", lambda: self._consumer.commit(done)
            )
            self._uncommitted.clear()

    def transform(self, plan: TransformPlan) -> Transform:
        """Open a transform."""
        return _required(TRANSFORMS.of(plan), plan)(plan, self._opening)

    def branch(self, plan: BranchPlan) -> Branch:
        """Open a branch."""
        return _required(BRANCHES.of(plan), plan)(plan, self._opening)

    def sink(self, plan: SinkPlan) -> Sink:
        """Open a sink."""
        return _required(SINKS.of(plan), plan)(plan, self._opening)

    @property
    def counts(self) -> FlowReport:
        """The counts so far."""
        return self._opening.tally.report()

    def report(self) -> FlowReport:
        """The counts of a run that has ended.

        Raises:
            Exception: the failure that was held.
        """
        if self._failure is not None:
            raise self._failure
        return self.counts

    async def _read(self, limit: int, timeout: float) -> Sequence[ReceivedRecord]:
        try:
            return await self._consumer.poll(limit=limit, timeout=timeout)
        except NotFound as error:
            source = self.flow.plan.source
            place = attrs.evolve(self.flow.plan.place, name=f"{source.title} of flow {self.flow.plan.name}")
            remedy = error.remedy or "create it, or correct the name"
            issue = Issue(code="LOOM-STREAM-023", where=place, message=error.message, remedy=remedy)
            raise ConfigError([issue]) from error

    async def _decoded(self, received: Sequence[ReceivedRecord]) -> list[Item]:
        source, tally = self.flow.plan.source, self._opening.tally
        items: list[Item] = []
        for one in received:
            tally.read += 1
            done, again = self._tracker.opened(one.origin)
            tally.repeated += again
            try:
                payload = self._opening.codec.decode(one.record.value, source.payload)
            except Exception as error:  # noqa: BLE001 - whatever makes a record undecodable, the policy decides
                try:
                    await self._poison(source, one, error, done)
                except Exception as failure:  # noqa: BLE001 - raised when what stands before it is done
                    self.hold(failure)
                    return items
            else:
                items.append(Item(_envelope(one, payload), Lineage(sources=(one,), done=done)))
        return items

    async def _poison(
        self, source: SourcePlan, received: ReceivedRecord, error: Exception, done: Callable[[], None]
    ) -> None:
        # The same bytes give the same error: nothing is gained by another attempt.
        guarded = Guarded(name=source.title, failure=source.failure, by_user=False)
        if not received.record.value:
            error = _without_value(error)
        await self._opening.guard.settle(source.failure.final, guarded, [received], error, 1, done)


@asynccontextmanager
async def open_session(flow: BoundFlow, stop: StopSignal) -> AsyncIterator[FlowSession]:
    """Join the consumer group and open the producer; on the way out let go of both.

    After a failure what is done is committed first: that never reaches past a record that is not done.
    """
    plan, ports = flow.plan, flow.ports
    producer = ports.topics.producer()
    consumer = ports.topics.consumer([plan.source.topic], group=plan.group)
    session = FlowSession(flow, consumer, _opening(flow, producer, stop))
    logger.info("flow %s begins: %s in group %s", plan.name, plan.source.title, plan.group)
    try:
        yield session
    except BaseException:
        # The first error is the one to tell; without the commit, more is read again.
        with contextlib.suppress(LoomError):
            await session.commit()
        raise
    finally:
        logger.info("flow %s ended: %s", plan.name, session.counts)
        try:
            await consumer.close()
        finally:
            await producer.close()


def _opening(flow: BoundFlow, producer: TopicProducer, stop: StopSignal) -> Opening:
    plan, ports = flow.plan, flow.ports
    tally, notes = Tally(flow=plan.name), Notes(plan.name)
    world = World(plan.name, ports.clock, flow.give_up_after, stop)
    letters = Letters(plan.name, producer, ports.codec, ports.clock, tally, notes, world, plan.errors)
    return Opening(
        guard=Guard(flow=plan.name, clock=ports.clock, letters=letters, tally=tally, notes=notes, world=world),
        tally=tally,
        codec=ports.codec,
        clock=ports.clock,
        producer=producer,
        persistence=ports.persistence,
        steps=flow.steps,
    )


def _without_value(error: Exception) -> Exception:
    told = MalformedInput(
        "the record has no value: a tombstone of a compacted topic, or one that was sent empty",
        remedy="FromTopic(..., on_error=skip()) passes over such records",
    )
    told.__cause__ = error
    return told


def _required(opener: T | None, plan: StagePlan) -> T:
    if opener is None:
        raise TypeError(f"{type(plan).__name__} says nowhere how it runs; register it")
    return opener


def _envelope(received: ReceivedRecord, payload: Any) -> Envelope[Any]:
    record = received.record
    return Envelope(
        payload=payload, key=record.key, headers=record.headers, timestamp=record.timestamp, origin=received.origin
    )
