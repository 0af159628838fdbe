"""The relay's statements, compiled once: it looks at the outbox after every commit."""

from __future__ import annotations

from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.statements import Statement, compiled

_LOCK = 0x6C6F6F6D_00000001
"""The number of the advisory lock: "loom" in ASCII, and which of loom's locks it is."""
LOCK = f"SELECT pg_advisory_xact_lock({_LOCK})"
"""Makes the transaction the only one of a relay, on PostgreSQL."""


@attrs.frozen(eq=False, kw_only=True)
class RelayStatements:
    """Names of parameters are those of the columns; ``now`` is the time.

    Attributes:
        ready: one row where there may be something to claim. Parameter ``now``.
        claim: hides records and gives them. Parameters ``now``, ``limit`` and ``hidden_until``.
        sent: marks one record. Parameters ``id`` and ``sent_at``.
        failed: notes one more attempt. Parameters ``id``, ``error`` and ``hidden_until``.
        counts: how many wait, and how many were sent.
    """

    ready: Statement
    claim: Statement
    sent: Statement
    failed: Statement
    counts: Statement


def relay_statements(model: StoredModel, dialect: Dialect) -> RelayStatements:
    """Build the statements for one database."""
    table = model.table.table
    columns = table.c
    waits = columns.sent_at.is_(None)
    one = (columns.id == _given(model, "given_id", "id")) & waits
    sent = sa.update(table).where(one).values(sent_at=_given(model, "sent_at"), error=sa.null())
    failed = sa.update(table).where(one)
    failed = failed.values(
        attempts=columns.attempts + sa.literal_column("1"),
        error=_given(model, "error"),
        hidden_until=_given(model, "hidden_until"),
    )
    ready: sa.Select[Any] = (
        sa.select(sa.literal_column("1")).where(waits, _is_visible(model, table)).limit(sa.literal_column("1"))
    )
    counts = sa.select(sa.func.count().filter(waits), sa.func.count(columns.sent_at)).select_from(table)
    return RelayStatements(
        ready=compiled(ready, dialect),
        claim=compiled(_claim(model), dialect),
        sent=compiled(sent, dialect),
        failed=compiled(failed, dialect),
        counts=compiled(counts, dialect),
    )


def _claim(model: StoredModel) -> sa.Update:
    table = model.table.table
    waiting = table.alias("waiting")
    hidden = table.alias("hidden")
    blocked = (
        sa.select(sa.literal_column("1"))
        .where(hidden.c.sent_at.is_(None), hidden.c.key == waiting.c.key)
        .where(hidden.c.position < waiting.c.position, hidden.c.hidden_until > _given(model, "now", "hidden_until"))
        .exists()
    )
    chosen = (
        sa.select(waiting.c.position)
        .where(waiting.c.sent_at.is_(None), _is_visible(model, waiting), (waiting.c.key == sa.text("''")) | ~blocked)
        .order_by(waiting.c.position)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
        .with_for_update(of=waiting)
    )
    return (
        sa.update(table)
        .where(table.c.position.in_(chosen))
        .values(hidden_until=_given(model, "hidden_until"))
        .returning(*model.statements.columns)
    )


def _is_visible(model: StoredModel, table: sa.FromClause) -> sa.ColumnElement[bool]:
    return table.c.hidden_until.is_(None) | (table.c.hidden_until <= _given(model, "now", "hidden_until"))


def _given(model: StoredModel, name: str, column: str = "") -> sa.BindParameter[object]:
    return sa.bindparam(name, type_=model.table.storages[column or name].bind)
