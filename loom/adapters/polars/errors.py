"""The border: what Polars and delta-rs raise becomes an error of the kernel, with the cause chained."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import polars as pl
from deltalake.exceptions import CommitFailedError, DeltaError

from loom.domain.errors import EngineFailure, StepFailed

T = TypeVar("T")

# delta-rs and Arrow put the layers that an error came through before what happened.
_LAYERS = re.compile(r"^((Generic DeltaTable error|External error|Arrow error|C Data interface error|python): )+")


class CommitConflict(EngineFailure):
    """Another writer changed the table meanwhile; the step must read again."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate what the libraries raise inside.

    Args:
        doing: what failed, as the start of a sentence.
    """
    try:
        yield
    except CommitFailedError as error:
        raise CommitConflict(f"{doing} failed: another writer changed the table meanwhile") from error
    except (DeltaError, pl.exceptions.PolarsError) as error:
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
    # What follows is a trace of the query or of Rust frames.
    return _LAYERS.sub("", str(error).partition("\n\n")[0]).strip().rstrip(".")
