"""The relay's side of the outbox.

Claims are exclusive because only one relay claims at a time: on SQLite it holds the write lock, on PostgreSQL an
advisory lock for the length of one short transaction. ``FOR UPDATE SKIP LOCKED`` alone would not keep the order of a
key: a second relay would skip a locked record and take the next one of its key, not seeing that the first is about to
be hidden. The rows are locked all the same, so that nobody else can change one that is being claimed.

Positions are given when records are written, not when their transaction commits. Where two transactions write records
of one key they also change the same row, so that the later one waits or fails: positions of one key follow its commits.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.system_tables import OutboxRow
from loom.domain.events import OutboxKind, OutboxRecord

_LOCK = 0x6C6F6F6D_00000001
"""The number of the advisory lock: "loom" in ASCII, and which of loom's locks it is."""
_AT_ONCE = 500


@attrs.frozen(eq=False)
class SqlRelayStore:
    """The relay's side of the outbox in one database."""

    database: Database
    translation: Translation
    model: StoredModel

    async def claim(self, limit: int, *, now: dt.datetime, lease: dt.timedelta) -> Sequence[OutboxRecord]:
        moment, until = self._time(now), self._time(now + lease)
        with self.translation.translated("loom_outbox"):
            # Most looks find nothing; they need no lock.
            async with self.database.reading() as connection:
                if not (await connection.execute(sa.select(1).where(self._is_ready(moment)).limit(1))).all():
                    return ()
            async with self._alone() as connection:
                rows = (await connection.execute(self._claim(limit, moment, until))).all()
                await connection.commit()
        made = [_record(self.model.plan.rows.build(row)) for row in rows]
        return tuple(sorted(made, key=lambda record: record.position))

    async def sent(self, ids: Sequence[uuid.UUID], *, now: dt.datetime) -> None:
        await self._update(ids, {"sent_at": self._time(now), "error": None})

    async def failed(self, ids: Sequence[uuid.UUID], *, reason: str, retry_at: dt.datetime) -> None:
        attempts = self._columns.attempts + 1
        values = {"attempts": attempts, "error": reason.replace("\x00", ""), "hidden_until": self._time(retry_at)}
        await self._update(ids, values)

    async def counts(self) -> Mapping[str, int]:
        pending = sa.func.count().filter(self._columns.sent_at.is_(None))
        query = sa.select(pending, sa.func.count(self._columns.sent_at)).select_from(self._table)
        with self.translation.translated():
            async with self.database.reading() as connection:
                found = (await connection.execute(query)).one()
        return {"pending": int(found[0]), "sent": int(found[1])}

    async def _update(self, ids: Sequence[uuid.UUID], values: Mapping[str, Any]) -> None:
        stored = [self._stored("id", each) for each in ids]
        with self.translation.translated("loom_outbox"):
            async with self._alone() as connection:
                for start in range(0, len(stored), _AT_ONCE):
                    chosen = self._columns.id.in_(stored[start : start + _AT_ONCE]) & self._columns.sent_at.is_(None)
                    await connection.execute(sa.update(self._table).where(chosen).values(dict(values)))
                await connection.commit()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        async with self.database.recording() as connection:
            if self.database.dialect == POSTGRESQL:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def _claim(self, limit: int, moment: Any, until: Any) -> sa.Executable:
        waiting = self._table.alias("waiting")
        hidden = self._table.alias("hidden")
        blocked = (
            sa.select(1)
            .where(hidden.c.sent_at.is_(None), hidden.c.key == waiting.c.key)
            .where(hidden.c.position < waiting.c.position, hidden.c.hidden_until > moment)
            .exists()
        )
        visible = waiting.c.hidden_until.is_(None) | (waiting.c.hidden_until <= moment)
        chosen = (
            sa.select(waiting.c.position)
            .where(waiting.c.sent_at.is_(None), visible, (waiting.c.key == "") | ~blocked)
            .order_by(waiting.c.position)
            .limit(limit)
            .with_for_update(of=waiting)
        )
        return (
            sa.update(self._table)
            .where(self._columns.position.in_(chosen))
            .values(hidden_until=until)
            .returning(*self.model.statements.columns)
        )

    def _is_ready(self, moment: Any) -> sa.ColumnElement[bool]:
        visible = self._columns.hidden_until.is_(None) | (self._columns.hidden_until <= moment)
        return sa.and_(self._columns.sent_at.is_(None), visible)

    @property
    def _table(self) -> sa.Table:
        return self.model.table.table

    @property
    def _columns(self) -> Any:
        return self.model.table.table.c

    def _time(self, moment: dt.datetime) -> Any:
        return self._stored("hidden_until", moment)

    def _stored(self, name: str, value: Any) -> Any:
        store = self.model.table.storages[name].conversion.store
        plain = self.model.plan.rows.fits[name](value)
        return plain if store is None else store(plain)


def _record(row: OutboxRow) -> OutboxRecord:
    return OutboxRecord(
        id=row.id,
        kind=OutboxKind(row.kind),
        destination=row.destination,
        type=row.type,
        key=row.key,
        payload=row.payload,
        headers=row.headers,
        created_at=row.created_at,
        position=row.position,
        attempts=row.attempts,
    )
