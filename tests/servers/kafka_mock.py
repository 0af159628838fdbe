"""The mock brokers that librdkafka brings along, for faults that a real broker cannot be told to have.

They live in this process, on a free port of loopback, and are driven through the C library inside of the wheel. They
keep few records and know no transactions.
"""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

PRODUCE = 0
"""Number of the request that stores records."""


def _library() -> ctypes.CDLL:
    import confluent_kafka

    wheel = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(wheel.glob("librdkafka-*.so*"))))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_push_request_errors_array": (None, [pointer, ctypes.c_int16, ctypes.c_size_t, pointer]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_destroy": (None, [pointer]),
    }
    for name, (answer, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = answer, arguments
    return library


class MockKafka:
    """One mock broker. ``bootstrap`` is its address."""

    def __init__(self) -> None:
        self._library = _library()
        reason = ctypes.create_string_buffer(512)
        self._client = self._library.rd_kafka_new(0, self._library.rd_kafka_conf_new(), reason, len(reason))
        assert self._client, reason.value.decode()
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        # A group begins at once, and not when its first member may have been given up already.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 10)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create(self, *topics: str) -> None:
        """Make topics of one partition."""
        for topic in topics:
            assert self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), 1, 1) == 0

    def go_down(self) -> None:
        """Close every connection, and take no new one."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def come_up(self) -> None:
        """Take connections again."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def refuse(self, request: int, *errors: int) -> None:
        """Answer the next requests of a kind with these errors, one each; 0 lets one through."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, request, len(errors), array)

    def stop(self) -> None:
        """Let go of everything."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


@pytest.fixture
def mock_kafka() -> Iterator[MockKafka]:
    """A mock broker of the test's own."""
    broker = MockKafka()
    yield broker
    broker.stop()
