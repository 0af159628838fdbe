"""Binds the ``EtlEngine`` port to Spark."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from loom.adapters.spark.engine import SparkEngine
from loom.adapters.spark.session import Session
from loom.adapters.spark.settings import SparkSettings
from loom.adapters.spark.tables import ParquetTables
from loom.application.etl.locations import LocalFiles, local_folder
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: SparkSettings, *, codec: Codec, clock: Clock) -> SparkEngine:
    """An engine over the settings' lake. Spark is started when a run begins."""
    return engine_on(settings, Session(settings))


def from_spark(settings: SparkSettings, spark: SparkSession) -> SparkEngine:
    """The same over a session that somebody else has started, and will stop.

    Raises:
        EngineFailure: the session is not in ANSI mode.
    """
    return engine_on(settings, Session(settings, spark))


def engine_on(settings: SparkSettings, session: Session) -> SparkEngine:
    """An engine over the settings' lake and a session."""
    return SparkEngine(
        tables=ParquetTables(Path(local_folder(settings.tables.uri)), session),
        files=LocalFiles(settings.files),
        conflict_retries=settings.conflict_retries,
    )
