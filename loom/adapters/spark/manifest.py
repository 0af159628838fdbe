"""The commits of a Parquet table. A version is one file that lists the folders of data which are the table then.

    raw/orders/_commits/00000000000000000003.json       the newest one is the table
    raw/orders/loom_part=5f3a.../day=2013-01-05/*.parquet

A commit is a hard link that fails where the version exists: it is there whole or not at all, and two writers cannot
both make it. Data that no commit lists was left by a writer that failed; nobody reads it.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import pyarrow.parquet as pq

from loom.application.etl.conflicts import CommitConflict
from loom.domain.frozen import frozen

COMMITS = "_commits"
PART = "loom_part"
_NULL = "__HIVE_DEFAULT_PARTITION__"


@frozen
class Part:
    """One folder of data, by its path below the table's; what follows the first name are partition values."""

    path: str
    rows: int
    bytes: int

    @property
    def partition(self) -> str:
        """The partition as Spark writes it: ``month=1/day=2``; empty where the table has none."""
        return self.path.partition("/")[2]

    @property
    def values(self) -> dict[str, str | None]:
        """The partition's values as text."""
        pairs = [pair.partition("=") for pair in self.partition.split("/") if pair]
        return {name: None if value == _NULL else unquote(value) for name, _, value in pairs}


@frozen(kw_only=True)
class Manifest:
    """One version of a table.

    Attributes:
        version: counts the commits, from 0.
        schema: Spark's JSON of the columns, in order.
        layout: the columns by which the data lies in folders.
        parts: the data.
        appended: identities of what was added once, since the table was last replaced as a whole.
    """

    version: int
    schema: str
    layout: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    appended: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(part.rows for part in self.parts)


def newest(folder: Path) -> Manifest | None:
    """The newest version of the table in a folder, or ``None`` where there is no table."""
    commits = folder / COMMITS
    names = [path.name for path in commits.glob("*.json")] if commits.is_dir() else []
    return _read(commits / max(names)) if names else None


def commit(folder: Path, manifest: Manifest) -> None:
    """Make a version the newest one.

    Raises:
        CommitConflict: another writer has made that version.
    """
    commits = folder / COMMITS
    commits.mkdir(parents=True, exist_ok=True)
    written = commits / f".{uuid.uuid4().hex}"
    with written.open("w", encoding="utf-8") as file:
        json.dump(attrs.asdict(manifest), file)
        file.flush()
        os.fsync(file.fileno())
    try:
        (commits / f"{manifest.version:020}.json").hardlink_to(written)
    except FileExistsError as error:
        raise CommitConflict(f"version {manifest.version} was made by another writer") from error
    finally:
        written.unlink()


def parts_of(folder: Path, name: str) -> tuple[Part, ...]:
    """The parts below one folder of data that Spark has just written."""
    found = []
    for path, _, files in sorted(os.walk(folder / name)):
        data = [Path(path) / file for file in files if file.endswith(".parquet")]
        if data:
            rows = sum(pq.ParquetFile(file).metadata.num_rows for file in data)
            size = sum(file.stat().st_size for file in data)
            found.append(Part(Path(path).relative_to(folder).as_posix(), rows, size))
    return tuple(found)


def _read(path: Path) -> Manifest:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    lists = {name: tuple(values[name]) for name in ("layout", "appended")}
    return Manifest(**values | lists | {"parts": tuple(Part(**part) for part in values["parts"])})
