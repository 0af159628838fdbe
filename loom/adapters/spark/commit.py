"""One atomic commit to a Parquet table, and what came of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pyspark.sql import DataFrame

from loom.adapters.spark.conform import not_empty_text
from loom.adapters.spark.errors import translated
from loom.adapters.spark.manifest import PART, Manifest, Part, commit, parts_of
from loom.domain.frozen import frozen


class Lake(Protocol):
    """What a commit needs of the lake."""

    def path(self, table: str) -> Path:
        """Where a table lies."""

    def scan(self, table: str, manifest: Manifest) -> DataFrame:
        """The rows of a version."""


@frozen(kw_only=True)
class Written:
    """What one commit wrote."""

    version: int
    rows: int
    bytes: int
    note: str = ""


@frozen(kw_only=True)
class Batch:
    """Rows on their way into one table.

    Attributes:
        tables: the lake.
        table: name of the table.
        stored: the version that the write builds on; ``None`` where the table is to be made.
        frame: the rows, in the table's columns and types.
    """

    tables: Lake
    table: str
    stored: Manifest | None
    frame: DataFrame

    @property
    def subject(self) -> str:
        """The table, for messages."""
        return f"table {self.table!r}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The data of the version that is built on."""
        return self.stored.parts if self.stored else ()

    @property
    def layout(self) -> tuple[str, ...]:
        """The columns by which the data lies in folders."""
        return self.stored.layout if self.stored else ()

    def old(self) -> DataFrame:
        """The rows of the version that is built on, which there must be."""
        if self.stored is None:
            raise LookupError(self.table)
        return self.tables.scan(self.table, self.stored)

    def append(self, once: str = "") -> Written:
        """Add the rows; those of an identity that the table has seen are not added again."""
        appended = self.stored.appended if self.stored else ()
        if once and once in appended:
            return self.unchanged("these rows were appended before")
        return self.commit(self.parts, self.layout, appended=(*appended, once) if once else appended)

    def replace(self, layout: Sequence[str] = ()) -> Written:
        """Put the rows in the place of the whole table."""
        kept = [name for name in self.layout if name in self.frame.columns]
        return self.commit((), tuple(kept or layout), appended=())

    def commit(self, kept: Sequence[Part], layout: Sequence[str], *, appended: Sequence[str] | None = None) -> Written:
        """Write the frame, and make it and the kept parts the newest version.

        Args:
            kept: data of the version that is built on.
            layout: the columns by which the new data lies in folders.
            appended: identities of what was added once; those of the version that is built on where not given.
        """
        new, parts = self.write(layout)
        return self.publish(new, (*kept, *parts), layout, appended=appended)

    def write(self, layout: Sequence[str]) -> tuple[str, tuple[Part, ...]]:
        """Write the frame into a folder of the table that no version lists yet: its name, and the parts in it."""
        folder, name = self.tables.path(self.table), f"{PART}={uuid.uuid4().hex}"
        frame = not_empty_text(self.frame, layout, self.subject)
        try:
            with translated(f"writing {self.subject}"):
                frame.write.partitionBy(*layout).parquet(str(folder / name))
                return name, parts_of(folder, name)
        except BaseException:
            self.discard(name)
            raise

    def publish(
        self, new: str, parts: Sequence[Part], layout: Sequence[str], *, appended: Sequence[str] | None = None
    ) -> Written:
        """Make these parts the newest version; where another writer was faster, what was written is removed."""
        seen = appended if appended is not None else self.stored.appended if self.stored else ()
        manifest = Manifest(
            version=self.stored.version + 1 if self.stored else 0,
            schema=self.frame.schema.json(),
            layout=tuple(layout),
            parts=tuple(parts),
            appended=tuple(seen),
        )
        try:
            with translated(f"writing {self.subject}"):
                commit(self.tables.path(self.table), manifest)
        except BaseException:
            self.discard(new)
            raise
        added = [part for part in parts if part.path.partition("/")[0] == new]
        return Written(
            version=manifest.version,
            rows=sum(part.rows for part in added),
            bytes=sum(part.bytes for part in added),
        )

    def discard(self, name: str) -> None:
        """Remove data that no version lists."""
        folder = self.tables.path(self.table)
        shutil.rmtree(folder / name, ignore_errors=True)
        if self.stored is None and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def unchanged(self, note: str) -> Written:
        """The outcome of a write that had nothing to do."""
        return Written(version=self.stored.version if self.stored else 0, rows=0, bytes=0, note=note)
