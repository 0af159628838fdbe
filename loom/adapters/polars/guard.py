"""Checks that look at every row on its way to a table, batch by batch, so that nothing is computed twice.

A vendor's writer turns what a check raises into text of its own; the guard keeps the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import attrs
import polars as pl

from loom.domain.errors import BrokenContract


@attrs.define
class Guard:
    """Collects what the checks of one write find. ``faults`` are sentences."""

    faults: list[str] = attrs.field(factory=list)

    def not_null(self, frame: pl.LazyFrame, columns: Sequence[str], subject: str) -> pl.LazyFrame:
        """The frame, which fails while it is read where one of the columns holds a null."""

        def check(name: str) -> Callable[[pl.Series], str]:
            return lambda series: (
                f"column {name!r} of {subject} allows no nulls, but the rows hold some" if series.null_count() else ""
            )

        return self._checked(frame, {name: check(name) for name in columns})

    def equal(self, frame: pl.LazyFrame, values: dict[str, object], subject: str) -> pl.LazyFrame:
        """The frame, which fails while it is read where a column does not hold its value everywhere."""

        def check(name: str, value: object) -> Callable[[pl.Series], str]:
            def found(series: pl.Series) -> str:
                other = series.filter(series.ne_missing(pl.Series([value], dtype=series.dtype)))
                return f"a row for {subject} has {name} = {other[0]!r}, not {value!r}" if len(other) else ""

            return found

        return self._checked(frame, {name: check(name, value) for name, value in values.items()})

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Turn whatever a writer raises into the fault that a check found, where one did."""
        try:
            yield
        except Exception as error:
            if not self.faults:
                raise
            raise BrokenContract(self.faults[0], remedy="nothing was written") from error

    def _checked(self, frame: pl.LazyFrame, checks: dict[str, Callable[[pl.Series], str]]) -> pl.LazyFrame:
        schema = frame.collect_schema()
        columns = [
            pl.col(name).map_batches(self._passing(check), return_dtype=schema[name], is_elementwise=True)
            for name, check in checks.items()
            if name in schema
        ]
        return frame.with_columns(columns) if columns else frame

    def _passing(self, check: Callable[[pl.Series], str]) -> Callable[[pl.Series], pl.Series]:
        def passing(series: pl.Series) -> pl.Series:
            fault = check(series)
            if fault:
                self.faults.append(fault)
                raise ValueError(fault)
            return series

        return passing
