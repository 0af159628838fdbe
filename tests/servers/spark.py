"""One Spark session for the whole run, on this machine's Java, bound to loopback."""

import logging
import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.servers import parts
from tests.servers.java import java_version, missing_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ELSEWHERE = "LOOM_TEST_SPARK"
LOOPBACK = "127.0.0.1"
SETTINGS = {
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.host": LOOPBACK,
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """The session of the run: `local[2]`, or the master that LOOM_TEST_SPARK names."""
    _require()
    session = _session(str(tmp_path_factory.mktemp("spark")))
    master = os.environ.get(ELSEWHERE)
    parts.real("Spark", session.version, ELSEWHERE if master else f"on Java {java_version()}")
    yield session
    # It says goodbye at debug level when the interpreter ends and the streams of the tests are closed.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    session.stop()


def _require() -> None:
    if find_spec("pyspark") is None:
        parts.missing("Spark", "pyspark is not installed")
    java = missing_java()
    if java:
        parts.missing("Spark", java)


def _session(folder: str) -> "SparkSession":
    from pyspark.sql import SparkSession

    # Read by the JVM before any setting: without it Spark looks up the machine's own name.
    os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    builder = SparkSession.builder.master(os.environ.get(ELSEWHERE, "local[2]")).appName("loom-tests")
    folders = {
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.local.dir": f"{folder}/scratch",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
    }
    for name, value in (SETTINGS | folders).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
