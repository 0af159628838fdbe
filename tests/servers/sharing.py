"""Shares the tests out among the processes of a run: a file stays whole, and all of Spark stays in one process."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[2]
ON_SPARK = "SparkSession"
"""Stands in every file whose tests take the session: two JVMs on one machine are slower than one."""


class SharedByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """One unit of work for each file, and one for all files of Spark.

    Not by marks: those reach the scheduler through the ids of tests, which pytest no longer lets a plugin change.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedByFile | None:
    return SharedByFile(config, log) if config.getoption("dist") == "loadfile" else None


@cache
def _scope(file: str) -> str:
    return ON_SPARK if ON_SPARK in (ROOT / file).read_text(encoding="utf-8") else file
