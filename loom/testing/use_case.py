"""``UseCaseTest``: runs one use case over a store in memory, and asks what became of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import typing
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from loom.adapters.memory.faults import Faults
from loom.application.jobs.declare import Job
from loom.application.usecase.application import Application
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.executor import Executor
from loom.application.usecase.scope import Scope
from loom.domain.context import Context
from loom.domain.errors import LoomError, RuleViolations, Unbound
from loom.domain.events import OutboxKind, OutboxRecord, event_options
from loom.domain.frozen import frozen
from loom.domain.model import is_entity
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.testing.clock import START, FakeClock
from loom.testing.differences import check_columns, differing, no_such_row, shown, unequal
from loom.testing.store import MemoryStore

M = TypeVar("M")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=LoomError)


@frozen
class Emitted:
    """An event, or a dispatched job, as it waits in the outbox after the commit.

    Attributes:
        name: class of the event, or of the job.
        destination: topic of the event, or name of the job.
        key: events of one key stay in order; empty where there is none.
        payload: the event, or the job's command, as JSON gives it.
    """

    name: str
    destination: str
    key: str
    payload: Any


class UseCaseTest(Generic[R]):
    """Runs one use case as the application would: computes, loads, rules, ``execute``, one transaction.

        test = UseCaseTest(Restock, given=[Product(id=1, sku="tea", stock=2)], services={Mailer: FakeMailer()})
        product = await test.run(RestockCommand(pieces=3), params={"product_id": 1})
        await test.assert_stored(Product, id=1, stock=5)
        test.assert_emitted(Restocked(product_id=1, stock=5))

    Nothing is relayed: events and jobs stay where the transaction put them.

    Args:
        use_case: the class.
        given: rows that are stored already.
        services: what constructors ask for, by type. ``Clock``, ``Codec`` and ``Application`` are there anyway.
        models: entities that are used and that neither the use case nor ``given`` names (those of nested use cases).
        now: the time at which the clock stands.
        context: who calls.

    Raises:
        CompileError: the use case has issues; all of them.
        TypeError: what is given is no use case, no row of an entity, or no type of a service.
    """

    def __init__(
        self,
        use_case: type[UseCase[Any, R]],
        *,
        given: Sequence[object] = (),
        services: Mapping[type, object] | None = None,
        models: Sequence[type] = (),
        now: dt.datetime = START,
        context: Context | None = None,
    ) -> None:
        from loom.adapters.json.codec import JsonCodec

        _check(use_case, given, services or {})
        self.clock = FakeClock(now)
        self.store = MemoryStore(clock=self.clock)
        self._use_case = use_case
        self._codec = JsonCodec()
        self._context = context
        self._services = _Services({Clock: self.clock, Codec: self._codec, **(services or {})})
        self._executor = Executor(self.store, self._services, self._codec, self.clock)
        self._services.known.setdefault(Application, self._executor)
        plan = self._executor.plan(use_case)
        self._streams = typing.get_origin(plan.result) is AsyncIterator
        self._models = [model for model in (*plan.models, *models) if is_entity(model)]
        self._given = list(given)
        self._filling = asyncio.Lock()

    @property
    def faults(self) -> Faults:
        """Lets calls of the store fail: ``test.faults.inject("commit", Unavailable("gone"))``."""
        return self.store.faults

    async def run(self, command: object = None, *, params: Mapping[str, object] | None = None) -> R:
        """Run the use case in a transaction of its own and return its result. Rows that it streams have been read.

        Args:
            command: the value of its ``Input()``.
            params: its other parameters by name: those of a path, a query string, a header.

        Raises:
            LoomError: whatever the use case, its rules or the store raise; nothing was kept then.
        """
        await self._ready()
        call = partial(self._executor.invoke, self._use_case, command, params=params, context=self._context)
        if not self._streams:
            return await call()
        rows: list[object] = []

        async def read(scope: Scope, result: AsyncIterator[object]) -> None:
            rows.extend([row async for row in result])

        # Rows come out of the transaction, so they are read before it ends.
        await call(after=read)
        return typing.cast("R", _replayed(rows))

    async def fails(self, error: type[E], command: object = None, *, params: Mapping[str, object] | None = None) -> E:
        """Run the use case, which is to fail with this error, and return the error.

        Raises:
            AssertionError: it succeeds, or fails with another error.
        """
        called = f"{self._use_case.__name__}({shown(command) if command is not None else ''})"
        try:
            result = await self.run(command, params=params)
        except error as raised:
            return raised
        except Exception as raised:
            raise AssertionError(
                f"{called} was to fail with {error.__name__}, but raised {type(raised).__name__}: {raised}"
            ) from raised
        raise AssertionError(f"{called} was to fail with {error.__name__}, but returned {shown(result)}")

    async def violates(
        self, failures: Mapping[str, str], command: object = None, *, params: Mapping[str, object] | None = None
    ) -> None:
        """Run the use case, whose rules are to fail with exactly these messages by JSON pointer.

        Raises:
            AssertionError: it succeeds, or fails with other rules.
        """
        raised = await self.fails(RuleViolations, command, params=params)
        found = [f"{fault.pointer}: {fault.message}" for fault in raised.errors]
        wanted = [f"{pointer}: {message}" for pointer, message in failures.items()]
        assert sorted(found) == sorted(wanted), unequal("broken rules", wanted, found)

    async def stored(self, model: type[M]) -> list[M]:
        """Every stored row of a model, in the order of its keys."""
        await self._ready()
        return await self.store.rows(model)

    async def assert_stored(self, model: type[Any], /, **columns: object) -> None:
        """A row with these values is stored."""
        check_columns(model, columns)
        rows = await self.stored(model)
        assert any(not differing(row, columns) for row in rows), no_such_row(model, columns, rows)

    async def assert_not_stored(self, model: type[Any], /, **columns: object) -> None:
        """No row with these values is stored; without values, no row at all."""
        check_columns(model, columns)
        found = [row for row in await self.stored(model) if not differing(row, columns)]
        assert not found, unequal(f"rows of {model.__name__}", [], found)

    @property
    def emitted(self) -> list[Emitted]:
        """The events of all calls that committed, in order."""
        return [_emitted(record) for record in self._records(OutboxKind.EVENT)]

    @property
    def dispatched(self) -> list[Emitted]:
        """The jobs that all calls that committed have dispatched, in order."""
        return [_emitted(record) for record in self._records(OutboxKind.JOB)]

    def assert_emitted(self, *events: object) -> None:
        """Exactly these events were emitted, in this order; none where none are given."""
        wanted = [self._expected(event) for event in events]
        assert self.emitted == wanted, unequal("events", wanted, self.emitted)

    def assert_dispatched(self, job: type[Job[Any]], command: object = None) -> None:
        """A job was dispatched with this command."""
        payload = json.loads(self._codec.encode(command))
        found = [job.__name__ == each.name and payload == each.payload for each in self.dispatched]
        wanted = Emitted(job.__name__, job.__name__, "", payload)
        assert any(found), unequal("dispatched jobs", [wanted], self.dispatched)

    async def _ready(self) -> None:
        async with self._filling:  # calls may run beside each other
            if self._models:
                await self.store.start(self._models)
                self._models = []
            if self._given:
                try:
                    await self.store.put(*self._given)
                except LoomError as error:
                    # It is the test that is wrong, and no error of the use case that a test might expect.
                    raise AssertionError(f"the given rows cannot be stored: {error}") from error
                self._given = []

    def _records(self, kind: OutboxKind) -> list[OutboxRecord]:
        return [record for record in self.store.waiting() if record.kind is kind]

    def _expected(self, event: object) -> Emitted:
        options = event_options(type(event))
        key = getattr(event, options.key) if options.key else None
        payload = json.loads(self._codec.encode(event))
        return Emitted(type(event).__name__, options.topic, "" if key is None else str(key), payload)


def _check(use_case: object, given: Sequence[object], services: Mapping[type, object]) -> None:
    if not isinstance(use_case, type) or not issubclass(use_case, UseCase):
        raise TypeError(f"{use_case!r} is no UseCase class")
    for row in given:
        if isinstance(row, type) or not is_entity(type(row)):
            raise TypeError(f"given: {row!r} is no row of an entity")
    types: Sequence[object] = list(services)
    for wanted in types:
        if not isinstance(wanted, type):
            raise TypeError(f"services: {wanted!r} is no type; write services={{Mailer: FakeMailer()}}")


@frozen
class _Services:
    """A resolver over the services of a test."""

    known: dict[Any, object]

    def knows(self, wanted: type) -> bool:
        return wanted in self.known

    def resolve(self, wanted: type[T]) -> T:
        if wanted not in self.known:
            raise Unbound(
                f"nothing is bound to {wanted.__name__}", remedy="give it to the test: services={Type: instance}"
            )
        return typing.cast("T", self.known[wanted])


async def _replayed(rows: Sequence[object]) -> AsyncIterator[object]:
    for row in rows:
        yield row


def _emitted(record: OutboxRecord) -> Emitted:
    name = record.type if record.kind is OutboxKind.EVENT else record.destination
    return Emitted(name, record.destination, record.key, json.loads(record.payload))
