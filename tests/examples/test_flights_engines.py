"""The flights pipeline gives the same tables on Polars and on Spark: another YAML file and no other change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.flights.pipeline import FlightsPipeline, FlightYear
from loom.etl import ETLRunner
from tests.examples.flights_slice import write_slice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONFIG = Path(__file__).parents[2] / "examples" / "flights" / "config"
Row = tuple[tuple[str, object], ...]


def lake_of(home: Path, *files: str) -> dict[str, list[Row]]:
    """Run the pipeline as the files say; returns every table's rows, sorted."""
    with ETLRunner.from_yaml(*(CONFIG / name for name in files), overrides=[f"etl.tables.uri={home}"]) as runner:
        runner.run(FlightsPipeline, FlightYear())
        tables = runner.tables
        return {name: _rows(list(tables.rows(name))) for name in tables.names()}


def _rows(rows: Sequence[object]) -> list[Row]:
    return sorted((tuple(sorted(row.items())) for row in rows), key=repr)  # type: ignore[attr-defined]


@pytest.mark.spark
def test_polars_and_spark_make_the_same_lake(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_slice(data, days=3)
    monkeypatch.setenv("FLIGHTS_DATA", str(data))
    polars = lake_of(tmp_path / "polars", "embedded.yaml")
    on_spark = lake_of(tmp_path / "spark", "embedded.yaml", "spark.yaml")
    assert {name: len(rows) for name, rows in polars.items()} == {
        "airlines": 16,
        "airports": 1458,
        "daily_delays": 184,
        "flight_conditions": 5121,
        "flights": 5121,
        "planes": 3322,
        "weather": 26115,
    }
    for name, rows in polars.items():
        assert on_spark[name] == rows, name


def test_a_second_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_slice(tmp_path, days=1)
    monkeypatch.setenv("FLIGHTS_DATA", str(tmp_path))
    config, uri = CONFIG / "embedded.yaml", f"etl.tables.uri={tmp_path / 'lake'}"
    with ETLRunner.from_yaml(config, overrides=[uri]) as runner:
        digests = []
        for _ in range(2):
            runner.run(FlightsPipeline, FlightYear())
            states = {name: runner.tables.state(name) for name in runner.tables.names()}
            digests.append({name: state and (state.rows, state.digest) for name, state in states.items()})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 7
