"""Settings of the Polars engine."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from loom.application.etl.settings import TableSettings
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class PolarsSettings:
    """Settings of the Polars engine.

    Attributes:
        tables: where the Delta tables lie.
        files: aliases of files; relative paths start at the working folder.
        conflict_retries: how often a step is run again after another writer changed its table meanwhile.
    """

    tables: TableSettings = attrs.field(factory=TableSettings)
    files: Mapping[str, str] = attrs.field(factory=dict)
    conflict_retries: int = 5
