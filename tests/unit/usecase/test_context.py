"""The context of a call: its trace, its way over headers, and who calls."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.usecase.executor import Executor
from loom.core import Context, Principal, Unauthenticated, UseCase
from loom.domain.trace import Trace
from loom.testing.clock import FakeClock
from tests.unit.rest.rest_shop import NothingBound

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class WhoAmI(UseCase[None, str]):
    read_only = True

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def execute(self) -> str:
        return self.principal.subject


def executor() -> Executor:
    store = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
    return Executor(persistence=store, resolver=NothingBound(), codec=JsonCodec(), clock=FakeClock())


async def test_a_use_case_asks_for_its_caller_by_type() -> None:
    context = Context(principal=Principal(subject="ann"))
    assert await executor().invoke(WhoAmI, context=context) == "ann"


async def test_without_a_caller_such_a_use_case_does_not_run() -> None:
    with pytest.raises(Unauthenticated, match="nobody is known to call"):
        await executor().invoke(WhoAmI, context=Context())


def test_a_trace_goes_on_in_a_span_of_its_own() -> None:
    trace = Trace.continued(PARENT, "vendor=opaque")
    assert trace is not None
    assert (trace.trace_id, trace.sampled, trace.state) == ("4bf92f3577b34da6a3ce929d0e0e4736", True, "vendor=opaque")
    assert trace.span_id != "00f067aa0ba902b7"
    assert trace.parent == f"00-{trace.trace_id}-{trace.span_id}-01"


def test_every_trace_and_span_is_another() -> None:
    begun = [Trace.begin() for _ in range(1_000)]
    assert len({trace.trace_id for trace in begun}) == len({trace.span_id for trace in begun}) == 1_000
    assert all(Trace.continued(trace.parent) for trace in begun)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_child_process_draws_numbers_of_its_own() -> None:
    program = (
        "import os; from loom.domain.trace import Trace; Trace.begin(); child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "print(Trace.begin().trace_id, flush=True)"
    )
    drawn = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert len(set(drawn)) == 2


def test_a_later_version_is_read_by_the_parts_that_are_known() -> None:
    trace = Trace.continued("cc" + PARENT[2:] + "-what-the-future-brings")
    assert trace is not None
    assert trace.parent.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "ff" + PARENT[2:],
        PARENT + "-extra",
        PARENT[:-1],
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    ],
)
def test_what_is_no_traceparent_continues_nothing(parent: str) -> None:
    assert Trace.continued(parent) is None


def test_an_unreadable_state_is_dropped_alone() -> None:
    trace = Trace.continued(PARENT, "x" * 513)
    assert trace is not None
    assert trace.state == ""


def test_a_context_travels_over_headers() -> None:
    sent = Context(
        correlation_id="abc", trace=Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", True, "v=1")
    )
    headers = sent.headers()
    assert headers == {"x-correlation-id": "abc", "traceparent": PARENT, "tracestate": "v=1"}
    received = Context.from_headers(headers)
    assert received.trace is not None
    assert received.correlation_id == "abc"
    assert (received.trace.trace_id, received.trace.state) == ("4bf92f3577b34da6a3ce929d0e0e4736", "v=1")
    assert received.trace.span_id != "00f067aa0ba902b7"


def test_a_trace_alone_gives_the_correlation_id() -> None:
    assert Context.from_headers({"traceparent": PARENT}).correlation_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert Context.from_headers({}).correlation_id != Context.from_headers({}).correlation_id
