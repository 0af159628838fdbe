"""Job states in a database, each written in a short transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.statements import Statement, compiled, parameters
from loom.adapters.sqlalchemy.system_tables import JobRow
from loom.adapters.sqlalchemy.upserts import insert_into
from loom.ports.clock import Clock
from loom.ports.jobs import JobState, JobStatus


@attrs.frozen(eq=False, repr=False)
class SqlJobStatusStore:
    """The last state of each job."""

    database: Database
    translation: Translation
    model: StoredModel
    put_statement: Statement
    clock: Clock

    async def put(self, status: JobStatus) -> None:
        values = attrs.asdict(status, recurse=False) | {
            "state": status.state.value,
            "updated_at": status.updated_at or self.clock.now(),
            # PostgreSQL does not store NUL, and an error text may quote anything.
            "error": status.error.replace("\x00", "") if status.error else status.error,
        }
        row = self.model.plan.rows.insert(values, now=self.clock.now())
        arguments = self.put_statement.arguments(dict(zip(self.model.table.schema.names, row, strict=True)))
        with self.translation.translated("loom_jobs"):
            async with self.database.recording() as connection:
                await connection.driver.touch(self.put_statement.sql, arguments)

    async def get(self, job_id: uuid.UUID) -> JobStatus | None:
        statement = self.model.statements.get
        (key,) = self.model.plan.rows.key(job_id)
        with self.translation.translated("loom_jobs"):
            async with self.database.reading() as connection:
                found = await connection.driver.fetch(statement.sql, (key,))
        return _status(self.model.plan.rows.build(found[0])) if found else None

    async def counts(self, job: str) -> Mapping[JobState, int]:
        columns = self.model.table.table.c
        query = sa.select(columns.state, sa.func.count()).where(columns.job == job).group_by(columns.state)
        with self.translation.translated("loom_jobs"):
            async with self.database.reading() as connection:
                found = {state: int(count) for state, count in await connection.execute(query)}
        return {state: found.get(state.value, 0) for state in JobState}


def job_put(model: StoredModel, dialect: Dialect) -> Statement:
    """The statement that writes a state unless a newer one is there."""
    table, names = model.table.table, model.table.schema.names
    made = insert_into(table, dialect).values(parameters(model.table, names))
    newer = made.on_conflict_do_update(
        index_elements=[table.c.id],
        set_={name: made.excluded[name] for name in names if name != "id"},
        where=made.excluded.updated_at >= table.c.updated_at,
    )
    return compiled(newer, dialect)


def _status(row: JobRow) -> JobStatus:
    return JobStatus(
        id=row.id,
        job=row.job,
        state=JobState(row.state),
        attempts=row.attempts,
        result=row.result,
        error=row.error,
        updated_at=row.updated_at,
    )
