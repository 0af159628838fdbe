"""Two writers of one table: the later one reads and writes again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from loom.domain.errors import EngineFailure

T = TypeVar("T")


class CommitConflict(EngineFailure):
    """Another writer changed the table meanwhile; the step must read again."""


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
