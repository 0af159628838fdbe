"""Counts the statements that a database store sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.ports.persistence import Persistence


@contextmanager
def statements_of(persistence: Persistence) -> Iterator[list[str]]:
    """The statements that are sent inside the block, in order."""
    assert isinstance(persistence, SqlPersistence)
    sent: list[str] = []
    kept: list[object] = []

    seen: set[int] = set()

    def keep(connection: object, cursor: object, statement: str, parameters: object, context: Any, many: bool) -> None:
        # One engine may be made from the other, and then tells both.
        if id(context) not in seen:
            sent.append(statement)
        seen.add(id(context))
        kept.append(context)

    engines = {
        id(each.sync_engine): each.sync_engine for each in (persistence._database.reader, persistence._database.writer)
    }
    for engine in engines.values():
        event.listen(engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        for engine in engines.values():
            event.remove(engine, "before_cursor_execute", keep)
