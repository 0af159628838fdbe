"""Persistence in a database.

Isolation: a writing unit of work is one transaction, begun by its first statement. On SQLite writing units follow each
other, so each sees everything that the one before it did. On PostgreSQL they run side by side under ``REPEATABLE
READ``: a unit sees one snapshot, and changing a row that another unit has changed since fails with ``Conflict``, after
which the whole unit can be run again. So no update is lost in either. Two units that read the same rows and write
different ones do not see each other (write skew): what must hold over several rows belongs in a unique or foreign key.
A read-only unit opens no transaction: each of its statements sees what is committed then, and a stream one snapshot.

One event loop per object: the connections belong to the loop that opened them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, TypeVar, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.answers import AnswerStatements, SqlAnswers, answer_statements
from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.foreign_keys import ForeignKeys
from loom.adapters.sqlalchemy.job_statuses import SqlJobStatusStore, job_put
from loom.adapters.sqlalchemy.models import StoredModel, compile_stored
from loom.adapters.sqlalchemy.outbox import SqlInbox, SqlOutbox, inbox_claim
from loom.adapters.sqlalchemy.relay_statements import RelayStatements
from loom.adapters.sqlalchemy.relay_store import SqlRelayStore
from loom.adapters.sqlalchemy.repository import SqlRepository
from loom.adapters.sqlalchemy.row_filters import FilterCache
from loom.adapters.sqlalchemy.schema import prepare_schema
from loom.adapters.sqlalchemy.session import Session
from loom.adapters.sqlalchemy.statements import Statement
from loom.adapters.sqlalchemy.system_tables import (
    SYSTEM_MODELS,
    AnswerRow,
    InboxRow,
    JobRow,
    OutboxRow,
    add_system_indexes,
)
from loom.adapters.sqlalchemy.translations import translation_of
from loom.application.units import UnitState, unknown_model
from loom.domain.errors import ScopeClosed
from loom.domain.visibility import RowFilters
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import UnitOfWork

M = TypeVar("M")


@attrs.frozen(eq=False, repr=False, slots=False)
class Started:
    """What a start decides, once for all units of work."""

    models: dict[type, StoredModel]
    translation: Translation
    foreign_keys: ForeignKeys
    dialect: Dialect
    filters: FilterCache

    @cached_property
    def inbox_claim(self) -> Statement:
        return inbox_claim(self.models[InboxRow], self.dialect)

    @cached_property
    def answers(self) -> AnswerStatements:
        return answer_statements(self.models[AnswerRow], self.dialect)

    @cached_property
    def job_put(self) -> Statement:
        return job_put(self.models[JobRow], self.dialect)

    @cached_property
    def relay(self) -> RelayStatements:
        return RelayStatements(self.models[OutboxRow], self.dialect)


class SqlPersistence:
    """A store in SQLite or PostgreSQL. Starts once; units of work may run concurrently in its event loop."""

    def __init__(self, database: Database, *, create_tables: bool, codec: Codec, clock: Clock) -> None:
        self._database = database
        self._create_tables = create_tables
        self._codec = codec
        self._clock = clock
        self._started: Started | None = None

    def begin(self, *, read_only: bool = False) -> AbstractAsyncContextManager[UnitOfWork]:
        started = self._require()
        return SqlUnitOfWork(started, Session(self._database, started.translation, UnitState(read_only)), self._clock)

    async def start(self, models: Sequence[type]) -> None:
        """Connect, create missing tables where the settings say so, and check that the others fit.

        Raises:
            CompileError: the models have faults.
            ConfigError: the database refuses the user, or its tables are not those of the models.
            Unavailable: the database does not answer.
        """
        dialect = self._database.dialect
        stored = compile_stored([*models, *SYSTEM_MODELS], self._codec, dialect)
        add_system_indexes(stored.catalogue, dialect.name)
        translation = translation_of(dialect.name, self._database.address, stored.catalogue)
        try:
            await prepare_schema(self._database, translation, create=self._create_tables)
        except BaseException:
            await self._database.close()
            raise
        self._started = Started(
            models=dict(stored.by_class),
            translation=translation,
            foreign_keys=ForeignKeys(stored.catalogue, dialect.name),
            dialect=dialect,
            filters=FilterCache(stored.catalogue.tables, dialect),
        )

    async def stop(self) -> None:
        self._started = None
        await self._database.close()

    def relay_store(self) -> SqlRelayStore:
        started = self._require()
        model = started.models[OutboxRow]
        return SqlRelayStore(self._database, started.translation, model, started.relay)

    def job_statuses(self) -> SqlJobStatusStore:
        started = self._require()
        model = started.models[JobRow]
        return SqlJobStatusStore(self._database, started.translation, model, started.job_put, self._clock)

    def _require(self) -> Started:
        if self._started is None:
            raise ScopeClosed("the store has not been started", remedy="await start(models) first")
        return self._started


@attrs.define(eq=False, repr=False)
class SqlUnitOfWork:
    """One transaction of a database, open as long as the block that it is entered for."""

    started: Started
    session: Session
    clock: Clock

    async def __aenter__(self) -> SqlUnitOfWork:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.session.close()

    def repository(self, model: type[M], filters: RowFilters | None = None) -> SqlRepository[M]:
        self.session.state.check()
        found = self.started.models.get(model)
        if found is None:
            raise unknown_model(model, self.started.models)
        bound = None if filters is None else self.started.filters.bound(filters, self.started.models)
        repository: SqlRepository[Any] = SqlRepository(
            found, self.session, self.clock, self.started.foreign_keys, bound
        )
        return cast("SqlRepository[M]", repository)

    def table(self, model: type) -> sa.Table:
        """The table of a model, for statements of one's own."""
        found = self.started.models.get(model)
        if found is None:
            raise unknown_model(model, self.started.models)
        return found.table.table

    async def select(self, statement: sa.Executable) -> Sequence[Any]:
        """Run a statement of one's own that gives rows, in this transaction; the values are as the driver has them."""
        return await self.session.select(statement)

    @property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self.started.models[OutboxRow], self.session)

    @property
    def inbox(self) -> SqlInbox:
        return SqlInbox(self.started.models[InboxRow], self.started.inbox_claim, self.session, self.clock)

    @property
    def answers(self) -> SqlAnswers:
        return SqlAnswers(self.started.models[AnswerRow], self.started.answers, self.session, self.clock)

    async def commit(self) -> None:
        await self.session.commit()
