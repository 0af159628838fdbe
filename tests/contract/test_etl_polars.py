"""Polars over Delta tables keeps the contract of ETL engines."""

from collections.abc import Mapping
from pathlib import Path

from loom.adapters.polars.engine import PolarsEngine
from loom.adapters.polars.tables import DeltaTables
from loom.application.etl.locations import LocalFiles
from loom.testing.contracts.etl import EtlContract


class TestPolarsEngine(EtlContract):
    def make_engine(self, folder: Path, files: Mapping[str, str]) -> PolarsEngine:
        return PolarsEngine(tables=DeltaTables(folder), files=LocalFiles(files))
