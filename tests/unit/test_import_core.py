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
    modules = loaded_by(f"import {face}")
    assert {name.partition(".")[0] for name in modules} & VENDORS == set()
    # The runner of pipelines brings its defaults along, and the test kit its store: they need no library.
    if face not in ("loom.etl", "loom.testing"):
        assert [name for name in modules if name.startswith("loom.adapters")] == []


def test_a_kernel_loads_only_the_vendors_of_its_adapters() -> None:
    """No web framework without interfaces, no structlog before the first line, no OmegaConf without a file."""
    modules = loaded_by(
        "import asyncio",
        "from loom.core import Kernel",
        "async def main():",
        "    async with Kernel.from_yaml():",
        "        pass",
        "asyncio.run(main())",
    )
    needed = {"dependency_injector", "msgspec"}
    assert {name.partition(".")[0] for name in modules} & (VENDORS | {"flask", "rich", "werkzeug"}) <= needed


def loaded_by(*lines: str) -> list[str]:
    """The modules of a fresh interpreter that has run these lines."""
    script = "\n".join([*lines, "import json, sys", "print(json.dumps(sorted(sys.modules)))"])
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    found: list[str] = json.loads(printed)
    return found
