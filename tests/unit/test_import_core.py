"""The kernel's face stays light: importing it loads no adapter and no vendor."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

VENDORS = {
    "aiosqlite",
    "alembic",
    "asyncpg",
    "bytewax",
    "celery",
    "confluent_kafka",
    "deltalake",
    "dependency_injector",
    "fastapi",
    "msgspec",
    "narwhals",
    "omegaconf",
    "polars",
    "pyarrow",
    "pyspark",
    "sqlalchemy",
    "starlette",
    "structlog",
    "typer",
}


@pytest.mark.parametrize("face", ["loom.core", "loom.rest", "loom.etl", "loom.streaming"])
def test_a_face_loads_no_vendor(face: str) -> None:
    script = f"import json, sys, {face}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    modules = json.loads(printed)
    assert {name.partition(".")[0] for name in modules} & VENDORS == set()
    # The runner of pipelines brings its defaults along, the clock and the run log: they need no library.
    if face != "loom.etl":
        assert [name for name in modules if name.startswith("loom.adapters")] == []
