"""Outbox and inbox inside a unit of work: rows of its own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import attrs
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.session import Session
from loom.adapters.sqlalchemy.statements import Statement, compiled, parameters
from loom.adapters.sqlalchemy.upserts import insert_into
from loom.domain.events import OutboxRecord
from loom.ports.clock import Clock


@attrs.frozen(eq=False, repr=False)
class SqlOutbox:
    """The outbox of one unit of work."""

    model: StoredModel
    session: Session

    async def add(self, records: Sequence[OutboxRecord]) -> None:
        self.session.state.check_write()
        plan, statement = self.model.plan.rows, self.model.statements.insert_many_counted
        names = self.model.table.schema.names
        rows = [
            dict(zip(names, plan.insert(_values(record), now=record.created_at), strict=True)) for record in records
        ]
        await self.session.run_many(statement, [statement.arguments(row) for row in rows], table="loom_outbox")


@attrs.frozen(eq=False, repr=False)
class SqlInbox:
    """The inbox of one unit of work."""

    model: StoredModel
    claim_statement: Statement
    session: Session
    clock: Clock

    async def claim(self, consumer: str, message_id: uuid.UUID) -> bool:
        self.session.state.check_write()
        now = self.clock.now()
        values = {"consumer": consumer, "message_id": message_id, "handled_at": now}
        row = dict(zip(self.model.table.schema.names, self.model.plan.rows.insert(values, now=now), strict=True))
        touched = await self.session.run(self.claim_statement, self.claim_statement.arguments(row), table="loom_inbox")
        return touched == 1


def inbox_claim(model: StoredModel, dialect: Dialect) -> Statement:
    """The statement that adds an inbox row unless it is there."""
    made = (
        insert_into(model.table.table, dialect)
        .values(parameters(model.table, model.table.schema.names))
        .on_conflict_do_nothing()
    )
    return compiled(made, dialect)


def _values(record: OutboxRecord) -> dict[str, object]:
    values = attrs.asdict(record, recurse=False)
    del values["position"]
    return values | {"kind": record.kind.value, "headers": dict(record.headers)}
