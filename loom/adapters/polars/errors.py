"""The border: what Polars and delta-rs raise becomes an error of the kernel, with the cause chained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from deltalake.exceptions import CommitFailedError, DeltaError

from loom.application.etl.conflicts import CommitConflict
from loom.domain.errors import EngineFailure, StepFailed

# delta-rs and Arrow put the layers that an error came through before what happened.
_LAYERS = re.compile(r"^((Generic DeltaTable error|External error|Arrow error|C Data interface error|python): )+")


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


def _sentence(error: Exception) -> str:
    # What follows is a trace of the query or of Rust frames.
    return _LAYERS.sub("", str(error).partition("\n\n")[0]).strip().rstrip(".")
