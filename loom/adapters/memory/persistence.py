"""Persistence in this process: the embedded default, and the fake that tests use.

Isolation: a unit of work sees the state that was committed when it first asked, plus its own changes (snapshot
isolation). Of two units that change the same row the first to commit wins; the other fails with ``Conflict`` at its
commit and can be run again. A read-only unit sees the newest committed state at each call.

Entities never leave or enter as objects: rows hold plain values, and JSON as text, through the same codec and the same
checks as in a database.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import attrs

from loom.adapters.memory.answers import MemoryAnswers
from loom.adapters.memory.faults import Faults
from loom.adapters.memory.job_statuses import MemoryJobStatusStore
from loom.adapters.memory.loading import Shown, row_test
from loom.adapters.memory.outbox_log import MemoryRelayStore
from loom.adapters.memory.repository import MemoryRepository
from loom.adapters.memory.transaction import Store, Transaction
from loom.application.compile import Issues
from loom.application.graph import compile_graph
from loom.application.queries import QueryPlan
from loom.application.row_compiler import compile_rows, computed_load
from loom.application.selections import compile_selections
from loom.application.units import UnitState, unknown_model
from loom.domain.events import OutboxRecord
from loom.domain.visibility import RowFilters
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import UnitOfWork

M = TypeVar("M")


class MemoryPersistence:
    """A store that forgets everything with the process. Units of work may run in several threads.

    ``faults`` lets a test make calls fail: ``persistence.faults.inject("commit", Unavailable("gone"))``. Its points are
    ``begin`` (opening a unit), ``commit`` (before anything is kept), ``committed`` (after everything is), ``claim`` and
    ``sent`` (of the relay store).
    """

    def __init__(self, *, codec: Codec, clock: Clock) -> None:
        self.faults = Faults(("begin", "commit", "committed", "claim", "sent"))
        self._codec = codec
        self._clock = clock
        self._store = Store()
        self._plans: dict[type, QueryPlan[Any]] = {}
        self._job_statuses = MemoryJobStatusStore(clock)

    def begin(self, *, read_only: bool = False) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._begin(read_only)

    @asynccontextmanager
    async def _begin(self, read_only: bool) -> AsyncIterator[UnitOfWork]:
        self.faults.reach("begin")
        unit = MemoryUnitOfWork(self._store, self._plans, self._clock, self.faults, UnitState(read_only))
        try:
            yield unit
        finally:
            unit.state.closed = True

    async def start(self, models: Sequence[type]) -> None:
        """Make the tables of the models; rows of an earlier start stay.

        Raises:
            CompileError: the models have faults.
        """
        issues = Issues()
        graph = compile_graph([*self._plans, *models], issues)
        issues.raise_if_any()
        rows = {schema.model: compile_rows(schema, self._codec) for schema in graph.schemas}
        selections = compile_selections(graph, rows, partial(computed_load, codec=self._codec))
        self._plans |= {model: QueryPlan(plan, graph, selections[model]) for model, plan in rows.items()}
        self._store.add_tables([plan.rows for plan in self._plans.values()])

    async def stop(self) -> None:
        """Nothing is held outside this object; what is stored can still be read."""

    def relay_store(self) -> MemoryRelayStore:
        return MemoryRelayStore(self._store.outbox, self._store.lock, self.faults)

    def job_statuses(self) -> MemoryJobStatusStore:
        return self._job_statuses


@attrs.define(eq=False)
class MemoryUnitOfWork:
    """One transaction in memory; its own outbox and inbox."""

    store: Store
    plans: dict[type, QueryPlan[Any]]
    clock: Clock
    faults: Faults
    state: UnitState
    _transaction: Transaction | None = attrs.field(default=None, init=False)

    def repository(self, model: type[M], filters: RowFilters | None = None) -> MemoryRepository[M]:
        self.state.check()
        plan = self.plans.get(model)
        if plan is None:
            raise unknown_model(model, self.plans)
        shown = {} if filters is None else self._shown(filters)
        return MemoryRepository(plan, self.state, self._current, self.clock, shown)

    @property
    def outbox(self) -> MemoryUnitOfWork:
        return self

    @property
    def inbox(self) -> MemoryUnitOfWork:
        return self

    @property
    def answers(self) -> MemoryAnswers:
        return MemoryAnswers(self.state, self.store.answers, self._current, self.clock)

    async def add(self, records: Sequence[OutboxRecord]) -> None:
        """See ``Outbox.add``."""
        self.state.check_write()
        self._current().outbox += [attrs.evolve(record, headers=dict(record.headers)) for record in records]

    async def claim(self, consumer: str, message_id: uuid.UUID) -> bool:
        """See ``Inbox.claim``."""
        self.state.check_write()
        mine, claim = self._current().inbox, (consumer, message_id)
        if claim in mine or claim in self.store.inbox:
            return False
        mine.add(claim)
        return True

    async def commit(self) -> None:
        self.state.check()
        self.faults.reach("commit")
        if self._transaction is not None and not self.state.read_only:
            self._transaction.commit()
        self.state.closed = True
        self.faults.reach("committed")

    def _shown(self, filters: RowFilters) -> Shown:
        """What tells, by table, which rows are there."""
        plans = [(self.plans[model], where) for model, where in filters.by_model.items() if model in self.plans]
        return {plan.schema.table: row_test(plan.predicate(where), plan.schema) for plan, where in plans}

    def _current(self) -> Transaction:
        if self.state.read_only:
            return Transaction(self.store)
        if self._transaction is None:
            self._transaction = Transaction(self.store)
        return self._transaction
