"""The relay's statements, each compiled when it is first needed: the relay looks at the outbox after every commit."""

from __future__ import annotations

from functools import cached_property
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


@attrs.frozen(eq=False, repr=False, slots=False)
class RelayStatements:
    """The statements for one database. Names of parameters are those of the columns; ``now`` is the time."""

    model: StoredModel
    dialect: Dialect

    @cached_property
    def ready(self) -> Statement:
        """One row where there may be something to claim. Parameter ``now``."""
        table = self._table
        made: sa.Select[Any] = sa.select(sa.literal_column("1"))
        made = made.where(table.c.sent_at.is_(None), _is_visible(self.model, table)).limit(sa.literal_column("1"))
        return compiled(made, self.dialect)

    @cached_property
    def claim(self) -> Statement:
        """Hides records and gives them. Parameters ``now``, ``limit`` and ``hidden_until``."""
        return compiled(_claim(self.model), self.dialect)

    @cached_property
    def sent(self) -> Statement:
        """Marks one record. Parameters ``given_id`` and ``sent_at``."""
        values = {"sent_at": _given(self.model, "sent_at"), "error": sa.null()}
        return compiled(self._one().values(values), self.dialect)

    @cached_property
    def failed(self) -> Statement:
        """Notes one more attempt. Parameters ``given_id``, ``error`` and ``hidden_until``."""
        values = {
            "attempts": self._table.c.attempts + sa.literal_column("1"),
            "error": _given(self.model, "error"),
            "hidden_until": _given(self.model, "hidden_until"),
        }
        return compiled(self._one().values(values), self.dialect)

    @cached_property
    def pending(self) -> Statement:
        """How many wait, from the index that holds only those."""
        made = sa.select(sa.func.count()).select_from(self._table).where(self._table.c.sent_at.is_(None))
        return compiled(made, self.dialect)

    @cached_property
    def counts(self) -> Statement:
        """How many wait, and how many were sent."""
        sent_at = self._table.c.sent_at
        waiting = sa.func.count().filter(sent_at.is_(None))
        return compiled(sa.select(waiting, sa.func.count(sent_at)).select_from(self._table), self.dialect)

    @property
    def _table(self) -> sa.Table:
        return self.model.table.table

    def _one(self) -> sa.Update:
        columns = self._table.c
        waits = columns.sent_at.is_(None)
        return sa.update(self._table).where(columns.id == _given(self.model, "given_id", "id"), waits)


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
