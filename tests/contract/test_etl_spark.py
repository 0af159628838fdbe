"""Spark over Parquet tables keeps the contract of ETL engines."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.application.etl.settings import TableSettings
from loom.testing.contracts.etl import EtlContract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from loom.adapters.spark.engine import SparkEngine


@pytest.mark.spark
class TestSparkEngine(EtlContract):
    @pytest.fixture(autouse=True)
    def _session(self, spark: "SparkSession") -> None:
        self.spark = spark

    def make_engine(self, folder: Path, files: Mapping[str, str]) -> "SparkEngine":
        from loom.adapters.spark.provide import from_spark
        from loom.adapters.spark.settings import SparkSettings

        return from_spark(SparkSettings(tables=TableSettings(uri=str(folder)), files=files), self.spark)
