"""An empty use case through the executor, beside a bare coroutine in a unit of work opened by hand."""

from typing import Any

from benchmarks.kernel.micro import Timed, Timing, timed_async
from loom.core import Input, Kernel, UseCase, command
from loom.ports.persistence import Persistence

EXECUTOR, BY_HAND = "executor.invoke", "coroutine and unit of work by hand"


@command
class Nothing:
    number: int = 0


class Read(UseCase[None, int]):
    """Does nothing, and opens no transaction for it."""

    read_only = True

    async def execute(self, number: int) -> int:
        return number


class Write(UseCase[None, int]):
    """Does nothing in a transaction."""

    async def execute(self, cmd: Nothing = Input()) -> int:
        return cmd.number


async def time_calls(timing: Timing) -> dict[str, Timed]:
    """By kind of call."""
    async with Kernel.from_yaml(overrides=["observability.log.level=error"]) as kernel:
        port: Any = Persistence
        store: Persistence = kernel.resolve(port)
        nothing, params = Nothing(), {"number": 1}

        async def read() -> int:
            return await kernel.executor.invoke(Read, params=params)

        async def write() -> int:
            return await kernel.executor.invoke(Write, nothing)

        async def read_by_hand() -> int:
            async with store.begin(read_only=True):
                return await _answer(params["number"])

        async def write_by_hand() -> int:
            async with store.begin() as unit:
                answer = await _answer(nothing.number)
                await unit.commit()
            return answer

        return {
            "read-only use case": await timed_async({EXECUTOR: read, BY_HAND: read_by_hand}, timing),
            "writing use case": await timed_async({EXECUTOR: write, BY_HAND: write_by_hand}, timing),
        }


async def _answer(number: int) -> int:
    return number
