"""Counts the statements that a database store sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from loom.adapters.sqlalchemy.driver_postgresql import PostgresDriver
from loom.adapters.sqlalchemy.driver_sqlite import SqliteDriver
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.ports.persistence import Persistence

_CALLS = ("fetch", "touch", "run", "run_many", "portions")


@contextmanager
def statements_of(persistence: Persistence) -> Iterator[list[str]]:
    """The statements that are sent inside the block, in order: by the driver, and by SQLAlchemy beside it."""
    assert isinstance(persistence, SqlPersistence)
    sent: list[str] = []

    def keep(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for driver in (SqliteDriver, PostgresDriver):
            for name in _CALLS:
                patch.setattr(driver, name, _noted(getattr(driver, name), sent))
        for engine in persistence._database.engines:
            event.listen(engine, "before_cursor_execute", keep)
            stack.callback(event.remove, engine, "before_cursor_execute", keep)
        yield sent


def _noted(call: Callable[..., Any], sent: list[str]) -> Callable[..., Any]:
    def noting(driver: object, sql: str, *rest: object) -> Any:
        sent.append(sql)
        return call(driver, sql, *rest)

    return noting
