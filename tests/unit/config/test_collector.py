"""The garbage collector rests while a kernel is made, and is as before afterwards."""

import gc
from collections.abc import Iterator

import pytest

from loom.config.collector import uncollected
from loom.config.kernel import Kernel
from loom.domain.errors import ConfigError


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_rests_inside_the_block_only() -> None:
    """Blocks may overlap, in whatever order they end."""
    first, second = uncollected(), uncollected()
    first.__enter__()
    second.__enter__()
    assert not gc.isenabled()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_whoever_has_turned_it_off_finds_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


async def test_a_kernel_leaves_the_collector_on() -> None:
    """Whether it starts or not."""
    async with Kernel.from_yaml():
        assert gc.isenabled()
    with pytest.raises(ConfigError):
        Kernel.from_yaml(overrides=["nonsense.key=1"])
    assert gc.isenabled()
