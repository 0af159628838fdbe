"""The border: what Spark raises becomes an error of the kernel, with the cause chained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from loom.domain.errors import BrokenContract, EngineFailure, StepFailed

BROKEN = "loom contract: "
"""What a check on the way to a table begins its message with; see ``conform``."""

_CHECKED = re.compile(rf"\[USER_RAISED_EXCEPTION\] {BROKEN}(.*?) SQLSTATE", re.DOTALL)
_STATE = re.compile(r" SQLSTATE: \w+\s*$")


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


def _sentence(error: Exception) -> str:
    # What follows is the Python line and a Java trace.
    return _STATE.sub("", str(error).strip().partition("\n")[0]).rstrip(".")
