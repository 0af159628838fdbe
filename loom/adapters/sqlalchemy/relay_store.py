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

from loom.adapters.sqlalchemy.connections import Connection
from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.relay_statements import LOCK, RelayStatements
from loom.adapters.sqlalchemy.statements import Statement
from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.system_tables import OutboxRow
from loom.domain.events import OutboxKind, OutboxRecord

_TABLE = "loom_outbox"


@attrs.frozen(eq=False, repr=False)
class SqlRelayStore:
    """The relay's side of the outbox in one database."""

    database: Database
    translation: Translation
    model: StoredModel
    statements: RelayStatements

    async def claim(self, limit: int, *, now: dt.datetime, lease: dt.timedelta) -> Sequence[OutboxRecord]:
        values = {"now": self._time(now), "hidden_until": self._time(now + lease), "limit": limit}
        ready = self.statements.ready
        with self.translation.translated(_TABLE):
            # Most looks find nothing; they need no lock.
            async with self.database.reading() as connection:
                if not await connection.driver.fetch(ready.sql, ready.arguments(values)):
                    return ()
            claim = self.statements.claim
            async with self._alone() as connection:
                rows = await connection.driver.fetch(claim.sql, claim.arguments(values))
        made = [_record(self.model.plan.rows.build(row)) for row in rows]
        return tuple(sorted(made, key=lambda record: record.position))

    async def sent(self, ids: Sequence[uuid.UUID], *, now: dt.datetime) -> None:
        await self._update(self.statements.sent, ids, {"sent_at": self._time(now)})

    async def failed(self, ids: Sequence[uuid.UUID], *, reason: str, retry_at: dt.datetime) -> None:
        # PostgreSQL does not store NUL, and an error text may quote anything.
        values = {"error": reason.replace("\x00", ""), "hidden_until": self._time(retry_at)}
        await self._update(self.statements.failed, ids, values)

    async def pending(self) -> int:
        with self.translation.translated():
            async with self.database.reading() as connection:
                ((count,),) = await connection.driver.fetch(self.statements.pending.sql, ())
        return int(count)

    async def counts(self) -> Mapping[str, int]:
        with self.translation.translated():
            async with self.database.reading() as connection:
                ((pending, sent),) = await connection.driver.fetch(self.statements.counts.sql, ())
        return {"pending": int(pending), "sent": int(sent)}

    async def _update(self, statement: Statement, ids: Sequence[uuid.UUID], values: Mapping[str, Any]) -> None:
        rows = [statement.arguments({**values, "given_id": self.model.stored("id", each)}) for each in ids]
        with self.translation.translated(_TABLE):
            async with self._alone() as connection:
                await connection.driver.run_many(statement.sql, rows)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection]:
        async with self.database.recording() as connection:
            if self.database.dialect.name == POSTGRESQL:
                await connection.driver.run(LOCK)
            yield connection

    def _time(self, moment: dt.datetime) -> Any:
        return self.model.stored("hidden_until", moment)


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
