"""A process that is killed in the middle of a write leaves the table as it was."""

import subprocess
import sys
import time
from pathlib import Path

from loom.adapters.polars.tables import DeltaTables

PATIENCE = 60.0

SCRIPT = """
import sys, time
from pathlib import Path
import polars as pl
from loom.etl import ETLParams, ETLPipeline, ETLProcess, ETLRunner, ETLStep, FromTable, IntoTable

lake, mark = sys.argv[1], Path(sys.argv[2])

class Stuck(ETLStep[ETLParams]):
    rows = FromTable("numbers")
    target = IntoTable("numbers").replace()

    def execute(self, *, rows: pl.LazyFrame) -> pl.LazyFrame:
        def wait(series: pl.Series) -> pl.Series:
            mark.touch()
            time.sleep(600)
            return series

        return rows.with_columns(pl.col("n").map_batches(wait, return_dtype=pl.Int64))

class Once(ETLProcess[ETLParams]):
    steps = [Stuck]

class Numbers(ETLPipeline[ETLParams]):
    processes = [Once]

ETLRunner.from_yaml(overrides=[f"etl.tables.uri={lake}"]).run(Numbers, ETLParams())
"""


def test_a_table_survives_the_death_of_its_writer(tmp_path: Path) -> None:
    """The old version is there, and the next writer is not in its way."""
    lake, mark = tmp_path / "lake", tmp_path / "writing"
    tables = DeltaTables(lake)
    tables.append("numbers", [{"n": number} for number in range(1000)])
    before = tables.state("numbers")
    writer = subprocess.Popen([sys.executable, "-c", SCRIPT, str(lake), str(mark)])
    try:
        deadline = time.monotonic() + PATIENCE
        while not mark.exists():
            assert writer.poll() is None, "the writer ended before it wrote"
            assert time.monotonic() < deadline, "the writer did not begin to write"
            time.sleep(0.02)
    finally:
        writer.kill()
        writer.wait(PATIENCE)
    assert tables.state("numbers") == before
    tables.append("numbers", [{"n": 1000}])
    after = tables.state("numbers")
    assert after is not None
    assert after.rows == 1001
