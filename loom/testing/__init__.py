"""The public face of the test kit: use cases and applications under test, a store and a clock that tests control.

The contract suites that an adapter of your own inherits are in ``loom.testing.contracts``; they need pytest.
"""

from loom.adapters.memory.faults import Faults
from loom.testing.clock import FakeClock
from loom.testing.http import HttpAnswer, HttpTestHarness, RequestOptions
from loom.testing.store import MemoryStore
from loom.testing.use_case import Emitted, UseCaseTest

__all__ = [
    "Emitted",
    "FakeClock",
    "Faults",
    "HttpAnswer",
    "HttpTestHarness",
    "MemoryStore",
    "RequestOptions",
    "UseCaseTest",
]
