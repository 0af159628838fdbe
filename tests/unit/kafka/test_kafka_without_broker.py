"""What the Kafka adapter says when its options are wrong or no broker answers. Nothing here needs a broker."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from loom.adapters.kafka.options import QuietLogger, check_options
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.domain.errors import ConfigError, Unavailable
from loom.ports.transport import TopicRecord

# Nothing listens on port 1.
NOWHERE = KafkaSettings(brokers="127.0.0.1:1", connect_timeout=0.3)
CALLS: dict[str, Callable[[KafkaTopics], Awaitable[object]]] = {
    "ensure": lambda topics: topics.ensure({"orders": 1}),
    "send": lambda topics: topics.producer().send([TopicRecord(topic="orders", value=b"")]),
    "poll": lambda topics: topics.consumer(["orders"], group="g").poll(limit=1, timeout=0.1),
    "counts": lambda topics: topics.counts(["orders"]),
}


def faults(**options: str) -> str:
    """The text of the error for options given with underscores for dots."""
    settings = KafkaSettings(options={name.replace("_", "."): value for name, value in options.items()})
    with pytest.raises(ConfigError) as caught:
        check_options(settings)
    return str(caught.value)


def test_every_unknown_option_is_named_with_a_guess() -> None:
    """All of them at once, by the name that the user wrote."""
    text = faults(sesion_timeout_ms="1", fetch_min_bites="2", linger_ms="5")
    assert "2 configuration issues" in text
    assert "options.sesion.timeout.ms" in text
    assert "did you mean 'session.timeout.ms'?" in text
    assert "did you mean 'fetch.min.bytes'?" in text
    assert "linger" not in text


def test_a_wrong_value_is_named_without_showing_a_secret() -> None:
    """The option is named; what it was set to is not repeated."""
    text = faults(security_protocol="hush")
    assert "options.security.protocol" in text
    assert "hush" not in text


def test_options_that_carry_a_promise_are_refused() -> None:
    """Nobody turns off the acknowledgement by an option, and settings are not set twice."""
    text = faults(enable_auto_commit="true", bootstrap_servers="elsewhere:9092")
    assert "what the adapter promises depends on it" in text
    assert "use the setting 'brokers' instead" in text


def test_good_options_pass() -> None:
    check_options(KafkaSettings(options={"compression.type": "lz4", "session.timeout.ms": "6000"}))


@pytest.mark.parametrize("call", CALLS)
async def test_an_unreachable_broker_is_named_with_a_remedy(call: str) -> None:
    """Every first call ends within the configured time, with the address and what to do."""
    topics = KafkaTopics(NOWHERE)
    with pytest.raises(Unavailable) as caught:
        async with asyncio.timeout(10):
            await CALLS[call](topics)
    assert "no Kafka broker answers at 127.0.0.1:1 within 0.3 s" in str(caught.value)
    assert "raise 'connect_timeout'" in str(caught.value)
    await topics.close()


def test_an_unreachable_broker_writes_nothing_to_the_terminal() -> None:
    """librdkafka's own lines do not reach stderr: the error says it once."""
    program = f"""
import asyncio
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.domain.errors import Unavailable
async def main():
    topics = KafkaTopics(KafkaSettings(brokers={NOWHERE.brokers!r}, connect_timeout=0.3))
    try:
        await topics.ensure({{"orders": 1}})
    except Unavailable:
        print("said once")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("said once\n", "")


def test_librdkafka_logs_at_debug_below_the_name_of_the_adapter(caplog: pytest.LogCaptureFixture) -> None:
    """An operator who wants librdkafka's lines turns on one logger."""
    with caplog.at_level(logging.DEBUG, logger="loom.adapters.kafka"):
        QuietLogger().log(logging.ERROR, "%s [%s] %s", "FAIL", "client", "refused")
    assert caplog.record_tuples == [("loom.adapters.kafka", logging.DEBUG, "FAIL [client] refused")]
