"""The border: what Spark raises becomes an error of the kernel, with the cause chained."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from loom.domain.errors import BrokenContract, EngineFailure, StepFailed

T = TypeVar("T")

BROKEN = "loom contract: "
"""What a check on the way to a table begins its message with; see ``conform``."""

_CHECKED = re.compile(rf"\[USER_RAISED_EXCEPTION\] {BROKEN}(.*?) SQLSTATE", re.DOTALL)
_STATE = re.compile(r" SQLSTATE: \w+\s*$")


class CommitConflict(EngineFailure):
    """Another writer changed the table meanwhile; the step must read again."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate what Spark raises inside.

    Args:
        doing: what failed, as the start of a sentence.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        broken = _CHECKED.search(str(error))
        if broken:
            raise BrokenContract(broken.group(1), remedy="nothing was written") from error
        raise StepFailed(f"{doing} failed: {_sentence(error)}") from error
    except OSError as error:
        raise EngineFailure(f"{doing} failed: {error}") from error


def retrying(attempt: Callable[[], T], retries: int) -> T:
    """Run something that reads and writes; where another writer was faster, read and write again.

    Raises:
        EngineFailure: another writer was faster each time.
    """
    for past in range(retries):
        try:
            return attempt()
        except CommitConflict:
            # Apart from each other, so that two writers do not meet again at once.
            time.sleep(random.uniform(0.01, 0.05) * 2**past)
    try:
        return attempt()
    except CommitConflict as error:
        message = f"{error.message}, at each of {retries + 1} attempts"
        raise EngineFailure(message, remedy="keep other writers away, or raise conflict_retries") from error


def _sentence(error: Exception) -> str:
    # What follows is the Python line and a Java trace.
    return _STATE.sub("", str(error).strip().partition("\n")[0]).rstrip(".")
