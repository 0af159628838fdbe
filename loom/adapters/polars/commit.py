"""One atomic commit to a Delta table, streamed from a lazy frame, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction

from loom.adapters.polars.errors import translated
from loom.adapters.polars.guard import Guard
from loom.domain.errors import EngineFailure
from loom.domain.frozen import frozen

_STAMP = "loom.commit"
GENERATION = "loom.generation"
"""The application whose version counts how often a table was replaced as a whole; what is appended once is so within
one generation."""


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
        path: where the table lies.
        table: name of the table, for messages.
        stored: the version that the write builds on; ``None`` where the table is to be made.
        frame: the rows, in the table's columns and types.
        guard: the checks that the rows pass on the way.
    """

    path: Path
    table: str
    stored: DeltaTable | None
    frame: pl.LazyFrame
    guard: Guard

    @property
    def subject(self) -> str:
        """The table, for messages."""
        return f"table {self.table!r}"

    def generation(self) -> int:
        """How often the table was replaced as a whole."""
        return 0 if self.stored is None else self.stored.transaction_version(GENERATION) or 0

    def append(self, once: str = "") -> Written:
        """Add the rows; those of an identity that this generation has seen are not added again."""
        if not once:
            return self.commit("append")
        generation = self.generation()
        if self.stored is not None and self.stored.transaction_version(once) == generation:
            return self.unchanged("these rows were appended before")
        return self.commit("append", transactions=[Transaction(app_id=once, version=generation)])

    def commit(
        self,
        mode: Literal["append", "overwrite"],
        *,
        predicate: str | None = None,
        layout: Sequence[str] = (),
        transactions: Sequence[Transaction] = (),
    ) -> Written:
        """Write the frame.

        Args:
            mode: add to the rows, or put in the place of those that the predicate names (all without one).
            predicate: SQL over the table's columns.
            layout: the partition columns of a table that is made now.
            transactions: application versions that this commit sets.
        """
        stamp, before = uuid.uuid4().hex, _files(self.stored)
        options: dict[str, Any] = {"commit_properties": _stamped(stamp, transactions)}
        if predicate is not None and self.stored is not None:
            options["predicate"] = predicate
        if self.stored is None and layout:
            options["partition_by"] = list(layout)
        if mode == "overwrite" and predicate is None and self.stored is not None:
            options |= {"schema_mode": "overwrite", "partition_by": self.stored.metadata().partition_columns}
        with translated(f"writing {self.subject}"), self.guard.watching():
            target = self.stored if self.stored is not None else str(self.path)
            self.frame.sink_delta(target, mode=mode, delta_write_options=options)
        return self._outcome(stamp, before, "num_added_rows")

    def merge(self, keys: Sequence[str]) -> Written:
        """Update the rows of the same keys and insert the others."""
        if self.stored is None:
            return self.commit("append")
        stamp, before = uuid.uuid4().hex, _files(self.stored)
        options = {
            "predicate": " AND ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in keys),
            "source_alias": "new",
            "target_alias": "old",
            "commit_properties": _stamped(stamp, ()),
        }
        with translated(f"writing {self.subject}"), self.guard.watching():
            merger = self.frame.sink_delta(self.stored, mode="merge", delta_merge_options=options)
            merger.when_matched_update_all().when_not_matched_insert_all().execute()
        return self._outcome(stamp, before, "num_source_rows")

    def unchanged(self, note: str) -> Written:
        """The outcome of a write that had nothing to do."""
        return Written(version=self.stored.version() if self.stored else 0, rows=0, bytes=0, note=note)

    def _outcome(self, stamp: str, before: dict[str, int], counter: str) -> Written:
        table = DeltaTable(self.path)
        # Other writers may have committed since; ours is among the newest.
        commits = [commit for commit in table.history(20) if commit.get(_STAMP) == stamp]
        if not commits:
            raise EngineFailure(f"the commit to {self.subject} is not in its history")
        added = sum(size for path, size in _files(table).items() if path not in before)
        metrics = commits[0]["operationMetrics"]
        return Written(version=commits[0]["version"], rows=metrics[counter], bytes=added)


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _stamped(stamp: str, transactions: Sequence[Transaction]) -> CommitProperties:
    return CommitProperties(custom_metadata={_STAMP: stamp}, app_transactions=list(transactions))


def _files(table: DeltaTable | None) -> dict[str, int]:
    if table is None:
        return {}
    actions = pl.DataFrame(table.get_add_actions(flatten=True))
    return dict(zip(actions["path"], actions["size_bytes"], strict=True))
