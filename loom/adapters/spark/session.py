"""The Spark session: started when it is first needed, or somebody else's, which is never stopped here."""

from __future__ import annotations

import os
import threading

from pyspark.sql import SparkSession

from loom.adapters.spark.errors import translated
from loom.adapters.spark.java import require_java
from loom.adapters.spark.settings import SparkSettings
from loom.domain.errors import EngineFailure

LOOPBACK = "127.0.0.1"
_ALWAYS: dict[str, str] = {
    # Without ANSI a value that cannot be cast becomes null without a word.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Each error would be printed to stderr with its Java trace, besides being raised.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
_LOCAL: dict[str, str] = {
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.host": LOOPBACK,
    "spark.sql.shuffle.partitions": "8",
}


class Session:
    """One session of an engine.

    Args:
        settings: how to start one.
        given: a session to use instead; it stays its owner's.
    """

    def __init__(self, settings: SparkSettings, given: SparkSession | None = None) -> None:
        self._settings = settings
        self._spark = given
        self._ours = False
        self._lock = threading.Lock()
        if given is not None:
            _require_ansi(given)

    def get(self) -> SparkSession:
        """The session; started now where it is the first time.

        Raises:
            EngineFailure: there is no Java 17, or Spark does not start.
        """
        with self._lock:
            if self._spark is None:
                self._spark = self._start()
            return self._spark

    def close(self) -> None:
        """Stop the session where it was started here."""
        with self._lock:
            if self._ours and self._spark is not None:
                self._spark.stop()
            self._spark, self._ours = None, False

    def _start(self) -> SparkSession:
        running = SparkSession.getActiveSession()
        if running is not None:
            # A process has one Spark. A session of our own in it leaves the other's settings alone.
            session = running.newSession()
            for name, value in (_ALWAYS | dict(self._settings.conf)).items():
                if name.startswith("spark.sql.") and session.conf.isModifiable(name):
                    session.conf.set(name, value)
            return session
        require_java()
        local = self._settings.master.startswith("local")
        if local:
            # Read by the JVM before any setting: without it Spark looks up the machine's own name.
            os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
        builder = SparkSession.builder.master(self._settings.master).appName(self._settings.app_name)
        for name, value in (_ALWAYS | (_LOCAL if local else {}) | dict(self._settings.conf)).items():
            builder = builder.config(name, value)
        with translated("starting Spark"):
            session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        self._ours = True
        return session


def _require_ansi(given: SparkSession) -> None:
    if given.conf.get("spark.sql.ansi.enabled") != "true":
        message = "the given Spark session turns values that cannot be cast into nulls"
        raise EngineFailure(message, remedy="set spark.sql.ansi.enabled to true")
