"""Binds the ``EtlEngine`` port to Polars."""

from __future__ import annotations

from pathlib import Path

from loom.adapters.polars.engine import PolarsEngine
from loom.adapters.polars.settings import PolarsSettings
from loom.adapters.polars.tables import DeltaTables
from loom.application.etl.locations import LocalFiles, local_folder
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: PolarsSettings, *, codec: Codec, clock: Clock) -> PolarsEngine:
    """An engine over the settings' lake. Nothing is read or made before it is used."""
    return PolarsEngine(
        tables=DeltaTables(Path(local_folder(settings.tables.uri))),
        files=LocalFiles(settings.files),
        conflict_retries=settings.conflict_retries,
    )
