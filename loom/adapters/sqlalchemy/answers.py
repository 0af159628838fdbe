"""Answers to idempotency keys inside a unit of work: rows of its own transaction.

A key is taken by inserting its row first. Whoever inserts the same key meanwhile waits for that transaction: on SQLite
for the write lock, on PostgreSQL for the unique index, and fails with ``Overtaken`` there where it commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.session import Session
from loom.adapters.sqlalchemy.statements import Statement, compiled, parameters
from loom.adapters.sqlalchemy.upserts import insert_into
from loom.domain.idempotency import KeptAnswer
from loom.ports.clock import Clock

_TABLE = "loom_idempotency"


@attrs.frozen(eq=False, repr=False)
class AnswerStatements:
    """The two statements that a model's own do not cover."""

    claim: Statement
    expire: Statement


@attrs.frozen(eq=False, repr=False)
class SqlAnswers:
    """The answers of one unit of work."""

    model: StoredModel
    statements: AnswerStatements
    session: Session
    clock: Clock

    async def claim(self, key: str, fingerprint: str, lifetime: dt.timedelta) -> KeptAnswer | None:
        self.session.state.check_write()
        now = self.clock.now()
        values = {"key": key, "fingerprint": fingerprint, "expires_at": now + lifetime}
        row = dict(zip(self.model.table.schema.names, self.model.plan.rows.insert(values, now=now), strict=True))
        claim = self.statements.claim
        row["now"] = self.model.stored("expires_at", now)
        if await self.session.run(claim, claim.arguments(row), table=_TABLE):
            return None
        get = self.model.statements.get
        found = await self.session.rows(get, get.arguments({"key_key": key}), table=_TABLE)
        kept = self.model.plan.rows.build(found[0])
        return KeptAnswer(fingerprint=kept.fingerprint, status=kept.status, headers=kept.headers, body=kept.body)

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        self.session.state.check_write()
        given = attrs.asdict(answer, recurse=False)
        changes: Mapping[str, Any] = self.model.plan.rows.changes(key, given, now=self.clock.now())
        update = self.model.statements.update(changes)
        values = {"key_key": key} | {f"set_{name}": value for name, value in changes.items()}
        await self.session.run(update, update.arguments(values), table=_TABLE)

    async def expire(self, limit: int) -> int:
        self.session.state.check_write()
        expire = self.statements.expire
        values = {"now": self.model.stored("expires_at", self.clock.now()), "limit": limit, "skip": 0}
        return await self.session.run(expire, expire.arguments(values), table=_TABLE)


def answer_statements(model: StoredModel, dialect: Dialect) -> AnswerStatements:
    """Build the statements for one database."""
    table, names = model.table.table, model.table.schema.names
    is_over = table.c.expires_at <= sa.bindparam("now", type_=model.table.storages["expires_at"].bind)
    made = insert_into(table, dialect).values(parameters(model.table, names))
    claim = made.on_conflict_do_update(
        index_elements=[table.c.key],
        set_={name: made.excluded[name] for name in names if name != "key"},
        where=is_over,
    )
    # SQLite's dialect adds an offset of its own where none is said.
    limit, skip = (sa.bindparam(name, type_=sa.Integer) for name in ("limit", "skip"))
    over = sa.select(table.c.key).where(is_over).limit(limit).offset(skip)
    return AnswerStatements(
        claim=compiled(claim, dialect), expire=compiled(sa.delete(table).where(table.c.key.in_(over)), dialect)
    )
