"""Settings of the Spark engine."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from loom.application.etl.settings import TableSettings
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class SparkSettings:
    """Settings of the Spark engine.

    Attributes:
        master: URL of the cluster; ``local[2]`` is two threads of this process.
        app_name: the name that the cluster shows.
        conf: Spark's own settings, which win over the ones that are made here.
        tables: where the Parquet tables lie; every machine of the cluster must mount the folder.
        files: aliases of files; relative paths start at the working folder.
        conflict_retries: how often a step is run again after another writer changed its table meanwhile.
    """

    master: str = "local[*]"
    app_name: str = "loom"
    conf: Mapping[str, str] = attrs.field(factory=dict)
    tables: TableSettings = attrs.field(factory=TableSettings)
    files: Mapping[str, str] = attrs.field(factory=dict)
    conflict_retries: int = 5
