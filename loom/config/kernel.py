"""``Kernel``: a configured application. It binds ports to adapters, compiles what was discovered, and runs it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self, TypeVar

from dependency_injector import providers

from loom.adapters.structlog.setup import set_up_logging
from loom.application.compile import Issues
from loom.application.jobs.messages import messages_for
from loom.application.jobs.runner import JobWorker
from loom.application.jobs.service import JobService
from loom.application.outbox.relay import Relay
from loom.application.outbox.senders import EventSender, JobSender, Sender
from loom.application.usecase.application import After, Application, Before
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.executor import Executor
from loom.config.collector import uncollected
from loom.config.container import PORTS, Container
from loom.config.discovery import Declarations, collect, discover
from loom.config.loaded import Loaded
from loom.config.loading import load
from loom.config.measures import count_failed, count_sent
from loom.config.plans import Plans, compile_declarations
from loom.config.structure import Config, structure
from loom.domain.context import Context
from loom.domain.errors import CompileError, ConfigError, LoomError
from loom.domain.events import OutboxKind
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.etl import EtlEngine
from loom.ports.jobs import JobQueue
from loom.ports.metrics import Metrics
from loom.ports.persistence import Persistence
from loom.ports.transport import Topics

T = TypeVar("T")
R = TypeVar("R")
_DRAIN_POLL = 0.02


class Kernel:
    """The one composition root.

        kernel = Kernel.from_yaml("config/app.yaml")
        kernel.bind(Mailer, SmtpMailer("localhost"))
        async with kernel:
            product = await kernel.invoke(CreateProductUseCase, CreateProduct(...))

    Making a kernel starts nothing and compiles nothing. ``start`` compiles everything, and only where nothing is
    wrong does it connect. It satisfies ``Resolver`` and ``Application``, so steps and jobs may ask for the latter.

    Args:
        config: typed configuration.
        declarations: what is to be compiled and run.
    """

    def __init__(self, config: Config, declarations: Declarations = Declarations()) -> None:
        self.config = config
        self.declarations = declarations
        self._container = Container(config)
        self._relaying: asyncio.Task[None] | None = None
        self._stop_relay: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[Any, Any] = {}
        self.draining = False
        self.bind(Application, self)
        # For steps and handlers; inside a use case the dispatch belongs to its scope.
        self.bind(JobService, providers.Factory(lambda: JobService(self.executor)))

    @classmethod
    def from_yaml(cls, *files: str | Path, overrides: Iterable[str] = (), modules: Iterable[ModuleType] = ()) -> Kernel:
        """A kernel from YAML files; none give the embedded defaults.

        Args:
            files: merged left to right.
            overrides: ``section.key=value`` each.
            modules: modules whose declarations are taken beside those that ``app.discovery`` names.

        Raises:
            ConfigError: every fault of the files and of the modules that they name.
        """
        with uncollected():
            loaded = load(*files, overrides=overrides)
            config = structure(loaded)
            return cls(config, _declarations(config, loaded, tuple(modules)))

    def bind(self, wanted: type[T], service: T | providers.Provider[T]) -> None:
        """Register a service of the application under the type that constructors ask for."""
        self._container.bind(wanted, service)

    def knows(self, wanted: type) -> bool:
        """Whether something is bound to a type."""
        return self._container.knows(wanted)

    def resolve(self, wanted: type[T]) -> T:
        """The object that is bound to a type.

        Raises:
            Unbound: nothing is.
            MissingExtra: the library of the chosen adapter is not installed.
        """
        return self._container.resolve(wanted)

    def stores(self, entity: type) -> bool:
        """Whether the store knows an entity.

        Raises:
            CompileError: every issue of every declaration.
        """
        return any(schema.model is entity for schema in self.plans.models)

    @contextmanager
    def override(self, wanted: type[T], fake: T) -> Iterator[T]:
        """Give ``fake`` for a port or service until the block ends.

        Raises:
            LoomError: a port is overridden while the kernel runs: parts that hold the original would go on with it.
            Unbound: nothing is bound to the type.
        """
        if self.running and wanted in PORTS.values():
            raise LoomError(
                f"{wanted.__name__} cannot be overridden while the kernel runs",
                remedy="enter kernel.override(...) before the kernel is started",
            )
        with self._container.override(wanted, fake):
            self._forget()
            yield fake
        self._forget()

    @property
    def running(self) -> bool:
        """Whether ``start`` has ended and ``stop`` has not begun."""
        return self._relaying is not None

    @property
    def topics(self) -> Topics:
        """The broker."""
        found: Topics = self._port(Topics)
        return found

    @cached_property
    def executor(self) -> Executor:
        """The executor over the ports that are bound now."""
        return Executor(
            persistence=self._port(Persistence),
            resolver=self,
            codec=self._port(Codec),
            clock=self._port(Clock),
            on_outbox=self._wake_relay,
        )

    @cached_property
    def relay(self) -> Relay:
        """The relay of the outbox. The running kernel runs it; call ``run_until_empty`` where a test wants it now."""
        senders: dict[OutboxKind, Sender] = {
            OutboxKind.EVENT: EventSender(self._port(Topics)),
            OutboxKind.JOB: JobSender(self._port(JobQueue), messages_for(self.plans.jobs)),
        }
        return Relay(
            store=self._port(Persistence).relay_store(),
            senders=senders,
            clock=self._port(Clock),
            settings=self.config.outbox,
            on_sent=count_sent(self._port(Metrics)),
            on_failed=count_failed(self._port(Metrics)),
        )

    @cached_property
    def plans(self) -> Plans:
        """Everything that the deployment would run, compiled. Nothing has been started or written.

        Raises:
            CompileError: every issue of every declaration.
        """
        issues = Issues()
        with uncollected():
            plans = compile_declarations(self.declarations, self.executor, self, issues)
        if issues.found:
            raise CompileError(issues.found)
        return plans

    @cached_property
    def job_worker(self) -> JobWorker:
        """Runs one job message in this process; what a queue is given."""
        return JobWorker(executor=self.executor, plans=self.plans.jobs, queue=self._port(JobQueue))

    async def invoke(
        self,
        use_case: type[UseCase[Any, R]],
        command: object = None,
        *,
        params: Mapping[str, object] | None = None,
        context: Context | None = None,
        before: Before | None = None,
        after: After | None = None,
    ) -> R:
        """Run a use case in a scope of its own; see ``Application.invoke``."""
        return await self.executor.invoke(use_case, command, params=params, context=context, before=before, after=after)

    async def drain(self) -> None:
        """Wait until the outbox is empty and every job that this process runs has ended, jobs of jobs included.

        It waits for records that cannot be sent as long as they cannot; bound it with ``asyncio.timeout``.
        """
        queue, store, clock = self._port(JobQueue), self.relay.store, self._port(Clock)
        while True:
            await self.relay.run_until_empty()
            # The relay of this kernel may hold a claim; only what was sent before the drain is waited for by it.
            empty = not await store.pending()
            await queue.drain()
            if empty and not await store.pending():
                return
            await clock.sleep(_DRAIN_POLL)

    async def start(self) -> None:
        """Compile everything, connect, and begin to relay.

        Raises:
            CompileError: every issue of every declaration; nothing was connected.
            Unavailable: a server does not answer; what was started has been stopped.
        """
        with uncollected():
            await self._connect()
        stop = asyncio.Event()
        self._stop_relay = stop
        self._relaying = asyncio.create_task(self.relay.run(stop), name="loom-relay")
        # What start-up made (classes, plans, statements, whole libraries) stays for good. Out of the collector's sight
        # a full collection looks at what requests left behind alone: looking at everything stops the event loop for
        # tens of milliseconds, which is where a p99 of ten times the p50 comes from. Nothing is collected first: that
        # would cost a start the same stop, to find little.
        gc.freeze()

    def begin_drain(self) -> None:
        """Say from now on that nothing more should be sent here; what is sent nevertheless is done as before."""
        self.draining = True

    async def stop(self) -> None:
        """Stop relaying and let go of every server. What the outbox still holds is relayed after the next start."""
        gc.unfreeze()
        if self._stop_relay is not None and self._relaying is not None:
            self._stop_relay.set()
            await self._relaying
            await self.relay.close()
        self._relaying = self._stop_relay = self._loop = None
        self.draining = False
        await self._close()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The kernel started and stopped, as a context for servers and runners; does nothing where it runs already."""
        if self.running:
            yield
            return
        async with self:
            yield

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _close(self) -> None:
        # What was started may be a test's own, of which the container knows nothing when the override is over.
        made = {**self._container.made(), **self._open}
        self._open.clear()
        if JobQueue in made:
            await made[JobQueue].stop()
        if Topics in made:
            await made[Topics].close()
        if Persistence in made:
            await made[Persistence].stop()
        if EtlEngine in made:
            # It may have a Spark to end, which takes its time.
            await asyncio.to_thread(made[EtlEngine].close)

    async def _connect(self) -> None:
        plans = self.plans
        set_up_logging(self.config.observability.log)
        self._loop = asyncio.get_running_loop()
        await self._opened(Persistence).start([schema.model for schema in plans.models])
        if plans.jobs:
            await self._opened(JobQueue).start(self.job_worker)

    def _wake_relay(self) -> None:
        # A flow may commit from another thread than the one whose loop the relay runs in.
        if self._loop is not None and self.running:
            self._loop.call_soon_threadsafe(self.relay.wake)

    def _opened(self, port: Any) -> Any:
        found = self._open[port] = self._port(port)
        return found

    def _port(self, port: Any) -> Any:
        return self._container.resolve(port)

    def _forget(self) -> None:
        for name in ("executor", "job_worker", "plans", "relay"):
            self.__dict__.pop(name, None)


def _declarations(config: Config, loaded: Loaded, modules: tuple[ModuleType, ...]) -> Declarations:
    issues = Issues()
    found = discover(config.app.discovery, issues, loaded)
    if issues.found:
        raise ConfigError(issues.found)
    return found.joined(collect(*modules)) if modules else found
