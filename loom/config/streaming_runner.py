"""``StreamingRunner``: compiles a flow, binds it to the configured ports, and runs it on the configured engine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.streaming.bind import GIVE_UP_AFTER, BoundFlow, StreamPorts, bind_flow
from loom.application.streaming.compiler import compile_flow
from loom.application.streaming.flow import StreamFlow
from loom.application.wiring import KnowsEntities, Resolver
from loom.domain.errors import CompileError
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import Persistence
from loom.ports.streaming import FlowReport, StopSignal, StreamEngine
from loom.ports.transport import Topics

Lifespan = Callable[[], AbstractAsyncContextManager[object]]
"""Opened around each run, in the event loop of the run: connects stores and brokers, and lets go of them again."""


@attrs.frozen(eq=False)
class StreamingRunner:
    """Runs one flow. Make it with ``of`` or ``from_yaml``."""

    flow: BoundFlow
    engine: StreamEngine[BoundFlow]
    lifespan: Lifespan = contextlib.nullcontext

    @classmethod
    def of(
        cls, flow: StreamFlow, resolver: Resolver, *, lifespan: Lifespan = contextlib.nullcontext
    ) -> StreamingRunner:
        """A runner over the ports that a resolver (the kernel, the container) gives.

        Args:
            flow: the declaration.
            resolver: gives ``StreamEngine``, ``Topics``, ``Codec``, ``Clock``, where it has one ``Persistence``, and
                what the constructors of steps ask for.
            lifespan: opened around each run.

        Raises:
            CompileError: every fault of the flow; nothing has been started.
            MissingExtra: the library of the configured engine or broker is not installed.
        """
        return cls._made(flow, resolver, lifespan, resolver.stores if isinstance(resolver, KnowsEntities) else None)

    @classmethod
    def _made(
        cls, flow: StreamFlow, resolver: Resolver, lifespan: Lifespan, stores: Callable[[type], bool] | None
    ) -> StreamingRunner:
        # Here and not above: the sections bring settings of adapters along, which the face does without.
        from loom.config.structure import Config

        issues = Issues()
        config = resolver.resolve(Config) if resolver.knows(Config) else None
        group = config.group_of(flow.name) if config else ""
        plan = compile_flow(flow, issues, resolver, stores=stores, group=group)
        if plan is None:
            raise CompileError(issues.found)
        ports = StreamPorts(
            topics=_port(resolver, Topics),
            codec=_port(resolver, Codec),
            clock=_port(resolver, Clock),
            persistence=_port(resolver, Persistence) if resolver.knows(Persistence) else None,
        )
        patience = config.streaming.give_up_after if config else GIVE_UP_AFTER
        bound = bind_flow(plan, ports, resolver, give_up_after=patience)
        return cls(bound, _port(resolver, StreamEngine), lifespan)

    @classmethod
    def from_yaml(cls, flow: StreamFlow, *files: str | Path, overrides: Iterable[str] = ()) -> StreamingRunner:
        """A runner on the engine, broker and store that the configuration names; none gives the embedded ones.

        Args:
            flow: the declaration.
            files: YAML files, merged left to right.
            overrides: ``section.key=value`` each.

        Raises:
            ConfigError: every fault of the configuration.
            CompileError: every fault of the flow; nothing has been started.
            MissingExtra: the library of the configured engine or broker is not installed.
        """
        from loom.config.discovery import Declarations
        from loom.config.kernel import Kernel

        kernel = Kernel.from_yaml(*files, overrides=overrides)
        runner = cls._made(flow, kernel, kernel.lifespan, None)
        # The tables that the flow writes have to be there, whether or not discovery found their entities.
        kernel.declarations = kernel.declarations.joined(Declarations(entities=runner.flow.plan.models))
        return runner

    def run(self) -> FlowReport:
        """Run until SIGTERM or SIGINT; then finish what was read, commit, and return. Blocks.

        Raises:
            StepFailed: a step raised and its policy is to stop.
            EngineFailure: the source or a sink failed and its policy is to stop.
        """
        return asyncio.run(self._run_until_signalled())

    async def run_until_idle(self) -> FlowReport:
        """Run until every record that the source holds now has been processed; raises as ``run`` does."""
        return await self.run_until(threading.Event(), until_idle=True)

    async def run_until(self, stop: StopSignal, *, until_idle: bool = False) -> FlowReport:
        """Run until ``stop`` is set, or until nothing is left to read; raises as ``run`` does."""
        async with self.lifespan():
            return await self.engine.run(self.flow, stop=stop, until_idle=until_idle)

    async def _run_until_signalled(self) -> FlowReport:
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Only the main thread hears signals, and not on every system by this way.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop.set)
        return await self.run_until(stop)


def _port(resolver: Resolver, port: Any) -> Any:
    # Ports are Protocols, which type checkers take for abstract; the container knows them all the same.
    return resolver.resolve(port)
