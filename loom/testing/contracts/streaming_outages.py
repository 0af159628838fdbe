"""What every stream engine must do while a store or a broker is away: see ``loom.testing.contracts.streaming``.

What the record is at fault for takes a policy or the error route; what the world is at fault for never does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import attrs
import pytest

from loom.application.streaming.failure import Policy, dead_letter, retry, skip
from loom.application.streaming.nodes.batch import BatchStep
from loom.application.streaming.nodes.collect import CollectBatch
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.application.streaming.nodes.record import RecordStep
from loom.domain.errors import (
    ConfigError,
    EngineFailure,
    Issue,
    LoomError,
    NotFound,
    Overtaken,
    Place,
    ScopeFailed,
    StepFailed,
    Unavailable,
)
from loom.testing.contracts.streaming import FOREVER, StreamBase, flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench
from loom.testing.contracts.streaming_failures import ALWAYS, POISON
from loom.testing.contracts.streaming_flows import First, Order

POLICIES: dict[str, Policy | None] = {
    "route": None,
    "skip": skip(),
    "letter": dead_letter(),
    "retry": retry(1, backoff=0.001),
}


@attrs.define(eq=False)
class Outside:
    """Something that steps need, and that is away for a while."""

    error: Exception
    left: int = 3

    def ask(self) -> None:
        """Raise as long as it is away."""
        if self.left > 0:
            self.left -= 1
            raise self.error


def asking(outside: Outside, policy: Policy | None = None) -> type[RecordStep[Order, Order]]:
    """A step that needs something outside for the order 1."""

    class Asking(RecordStep[Order, Order]):
        on_error = policy

        def process(self, order: Order) -> Order:
            if order.id == 1:
                outside.ask()
            return order

    return Asking


def wrapped(cause: BaseException, error: Exception) -> Exception:
    """An error that was raised from another one."""
    error.__cause__ = cause
    return error


def missing_model() -> ConfigError:
    """What a store says of a model that it was not started with."""
    return ConfigError([Issue(code="LOOM-CORE-010", where=Place(name="Row"), message="Row is not among the models")])


AWAY: dict[str, Exception] = {
    "unavailable": Unavailable("the store is away"),
    "engine": EngineFailure("the store has no table"),
    "overtaken": Overtaken("another one was quicker"),
    "wrapped": wrapped(Unavailable("the store is away"), RuntimeError("could not look it up")),
    "scope": wrapped(Unavailable("the store is away"), ScopeFailed("a nested use case failed")),
    "group": ExceptionGroup("two calls", [ValueError("one"), Unavailable("the store is away")]),
}
OF_THE_RECORD: dict[str, Exception] = {
    "not found": NotFound("customer", 3),
    "own": ValueError("not that one"),
    "system": FileNotFoundError("orders/1.txt"),
    "own time-out": TimeoutError("the partner does not answer for 1"),
    "exit": wrapped(SystemExit(0), StepFailed("it ended itself")),
}


class StreamOutageContract(StreamBase):
    """Outages hold the flow, and lose nothing: no policy is asked, nothing is committed, and the flow goes on."""

    @pytest.mark.parametrize("policy", POLICIES)
    async def test_an_outage_in_a_step_is_waited_for(self, bench: Bench, policy: str) -> None:
        """Whatever the policy of the step says; the order stays."""
        outside = Outside(AWAY["unavailable"])
        await bench.send("in", orders(3))
        report = await bench.run(flow_of(bench, asking(outside, POLICIES[policy]), into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2]
        assert (report.dead_letters, report.skipped, report.retries, outside.left) == (0, 0, 0, 0)

    @pytest.mark.parametrize("error", AWAY)
    async def test_what_is_no_fault_of_the_record_is_tried_again(self, bench: Bench, error: str) -> None:
        """Also where a step, a scope or a group of tasks wraps it."""
        await bench.send("in", orders(3))
        report = await bench.run(flow_of(bench, asking(Outside(AWAY[error])), into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2]
        assert report.dead_letters == 0

    @pytest.mark.parametrize("error", OF_THE_RECORD)
    async def test_what_a_steps_own_code_raises_is_the_records_fault(self, bench: Bench, error: str) -> None:
        """It takes the error route at the first attempt."""
        await bench.send("in", orders(3))
        flow = flow_of(bench, asking(Outside(OF_THE_RECORD[error])), into(bench), letters=True)
        report = await bench.run(flow)
        assert await bench.ids("out") == [0, 2]
        assert report.dead_letters == 1

    async def test_a_step_that_exits_fails_and_ends_no_process(self, bench: Bench) -> None:
        """``sys.exit(0)`` of a library is a failure of the record that it was called for."""

        class Exiting(RecordStep[Order, Order]):
            def process(self, order: Order) -> Order:
                if order.id == 1:
                    raise SystemExit(0)
                return order

        await bench.send("in", orders(3))
        await bench.run(flow_of(bench, Exiting, into(bench), letters=True))
        assert await bench.ids("out") == [0, 2]
        assert [letter.message for letter in await bench.letters()] == ["StepFailed: Exiting raised SystemExit(0)"]

    async def test_an_outage_in_a_batch_step_is_waited_for(self, bench: Bench) -> None:
        """With the whole batch, which is not taken apart."""
        outside, sizes = Outside(AWAY["unavailable"]), list[int]()

        class Enriching(BatchStep[Order, Order]):
            async def process(self, batch: Sequence[Order]) -> Sequence[Order]:
                sizes.append(len(batch))
                outside.ask()
                return batch

        await bench.send("in", orders(4))
        report = await bench.run(flow_of(bench, CollectBatch(4, FOREVER), Enriching, into(bench), letters=True))
        assert await bench.ids("out") == [0, 1, 2, 3]
        assert (sizes, report.dead_letters) == ([4, 4, 4, 4], 0)

    @pytest.mark.parametrize("policy", POLICIES)
    async def test_an_outage_of_a_sink_is_waited_for(self, bench: Bench, policy: str) -> None:
        """Everything arrives once."""
        bench.topics.away[bench.name("out")] = 3
        sink = IntoTopic(bench.name("out"), payload=Order, on_error=POLICIES[policy])
        await bench.send("in", orders(5))
        report = await bench.run(flow_of(bench, sink, letters=True))
        assert await bench.ids("out") == [0, 1, 2, 3, 4]
        assert (report.dead_letters, report.skipped, report.written) == (0, 0, {bench.name("out"): 5})

    async def test_an_outage_of_the_error_route_is_waited_for(self, bench: Bench) -> None:
        """The letter is sent once it is back, and only then is its record done."""
        bench.topics.away[bench.name("dlq")] = 3
        await bench.send("in", [*orders(1), POISON, *orders(1, start=1)])
        flow = flow_of(bench, into(bench), letters=True)
        assert (await bench.run(flow)).dead_letters == 1
        assert len(await bench.letters()) == 1
        assert await bench.ids("out") == [0, 1]
        assert (await bench.run(flow)).read == 0

    async def test_an_outage_that_lasts_stops_the_flow(self, bench: Bench) -> None:
        """Loudly, with what it waited for; nothing past it is committed, and no letter was sent."""
        bench.give_up_after = 0.3
        bench.topics.away[bench.name("out")] = ALWAYS
        await bench.send("in", orders(3))
        flow = flow_of(bench, into(bench), letters=True)
        with pytest.raises(EngineFailure, match=r"stopped: IntoTopic\(.*out is away.*give_up_after") as failure:
            await bench.run(flow)
        assert isinstance(failure.value.__cause__, Unavailable)
        assert await bench.letters() == []
        bench.topics.away.clear()
        assert (await bench.run(flow)).read == 3
        assert await bench.ids("out") == [0, 1, 2]

    async def test_an_error_route_that_stays_away_stops_the_flow(self, bench: Bench) -> None:
        """A dead letter that cannot be sent is not a record that may be forgotten."""
        bench.give_up_after = 0.3
        bench.topics.away[bench.name("dlq")] = ALWAYS
        await bench.send("in", [*orders(1), POISON])
        flow = flow_of(bench, into(bench), letters=True)
        with pytest.raises(EngineFailure, match=r"sending 1 dead letters.*topic dlq is away"):
            await bench.run(flow)
        bench.topics.away.clear()
        assert (await bench.run(flow)).dead_letters == 1
        assert set(await bench.ids("out")) == {0}

    async def test_a_mistake_of_the_wiring_stops_the_flow_at_once(self, bench: Bench) -> None:
        """No waiting mends the configuration of a process; what stands before it is kept."""
        step = asking(Outside(missing_model(), left=1), skip())
        await bench.send("in", orders(3))
        with pytest.raises(EngineFailure, match=r"cannot go on: Asking on .*@1: ConfigError") as failure:
            await bench.run(flow_of(bench, step, into(bench), letters=True))
        assert isinstance(failure.value.__cause__, LoomError)
        assert await bench.letters() == []
        assert (await bench.run(flow_of(bench, step, into(bench), letters=True))).read == 2
        assert await bench.ids("out") == [0, 1, 2]

    async def test_a_stop_ends_the_wait(self, bench: Bench) -> None:
        """A process that is told to end does not sit out the outage."""
        bench.topics.away[bench.name("out")] = ALWAYS
        running = bench.start(flow_of(bench, First, into(bench), letters=True))
        await bench.send("in", orders(1))
        await bench.ledger.wait_for("First", 1, patience=bench.patience)
        with pytest.raises(EngineFailure, match="topic out is away"):
            await running.end()
        assert await bench.letters() == []

    async def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """However many attempts there were."""
        bench.topics.away[bench.name("out")] = 4
        await bench.send("in", orders(3))
        with caplog.at_level(logging.WARNING, logger="loom.streaming"):
            await bench.run(flow_of(bench, into(bench)))
        begins, ends = (record.getMessage() for record in caplog.records if record.name == "loom.streaming")
        assert "waits: IntoTopic(" in begins
        assert "topic out is away" in begins
        assert "goes on: IntoTopic(" in ends
        assert "5 attempts" in ends
