"""What a kernel starts it also stops, a port that a test has overridden included."""

from typing import Any

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.core import Kernel
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock


class Watched(MemoryPersistence):
    """A store that knows how often it was stopped."""

    stopped = 0

    async def stop(self) -> None:
        self.stopped += 1


async def test_an_overridden_store_is_stopped_with_the_kernel() -> None:
    kernel = Kernel.from_yaml()
    wanted: Any = Persistence
    store = Watched(codec=JsonCodec(), clock=FakeClock())
    with kernel.override(wanted, store):
        async with kernel:
            assert store.stopped == 0
        assert store.stopped == 1


async def test_a_store_is_stopped_also_when_its_override_is_over_before() -> None:
    kernel = Kernel.from_yaml()
    wanted: Any = Persistence
    store = Watched(codec=JsonCodec(), clock=FakeClock())
    with kernel.override(wanted, store):
        await kernel.start()
    await kernel.stop()
    assert store.stopped == 1
