"""A flow as a process of its own: ``python -m tests.integration.flow_process CONFIG PREFIX``."""

import asyncio
import json
import sys

import attrs

from loom.streaming import FromTopic, IntoTopic, Process, RecordStep, StreamFlow, StreamingRunner


@attrs.frozen
class Tick:
    """One record."""

    id: int


class Slowly(RecordStep[Tick, Tick]):
    """Takes a little time, so that a signal finds the flow at work."""

    async def process(self, tick: Tick) -> Tick:
        await asyncio.sleep(0.001)
        return tick


def ticking(prefix: str) -> StreamFlow:
    """The flow; its topics and its group begin with ``prefix``."""
    sink = IntoTopic(f"{prefix}.out", payload=Tick)
    return StreamFlow(f"{prefix}.flow", FromTopic(f"{prefix}.in", payload=Tick), Process(Slowly, sink))


if __name__ == "__main__":
    config, name = sys.argv[1:]
    print(json.dumps(attrs.asdict(StreamingRunner.from_yaml(ticking(name), config).run())), flush=True)
