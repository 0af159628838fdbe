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
    "httpx2",
    "msgspec",
    "narwhals",
    "omegaconf",
    "polars",
    "pyarrow",
    "pyspark",
    "pytest",
    "sqlalchemy",
    "starlette",
    "structlog",
    "typer",
}


@pytest.mark.parametrize("face", ["loom.core", "loom.rest", "loom.etl", "loom.streaming", "loom.testing"])
def test_a_face_loads_no_vendor(face: str) -> None:
    script = f"import json, sys, {face}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    modules = json.loads(printed)
    assert {name.partition(".")[0] for name in modules} & VENDORS == set()
    # The runner of pipelines brings its defaults along, and the test kit its store: they need no library.
    if face not in ("loom.etl", "loom.testing"):
        assert [name for name in modules if name.startswith("loom.adapters")] == []
