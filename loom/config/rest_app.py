"""``create_app`` and ``mount``: the interfaces of a kernel, served.

Nothing heavy is imported before one of them is called, so that declaring an interface needs no web framework.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from loom.domain.errors import Unavailable
from loom.domain.query import Query

if TYPE_CHECKING:
    from loom.adapters.fastapi.shell import App, FastapiShell, Surroundings
    from loom.config.kernel import Kernel


def create_app(*files: str | Path, overrides: Iterable[str] = (), modules: Iterable[ModuleType] = ()) -> App:
    """A FastAPI application that serves every interface of a configured kernel, and starts and stops that kernel.

    Args:
        files: YAML files, merged left to right; none give the embedded defaults.
        overrides: ``section.key=value`` each.
        modules: modules whose declarations are served beside those that ``app.discovery`` names.

    Raises:
        ConfigError: every fault of the configuration.
        CompileError: every issue of every declaration.
        MissingExtra: FastAPI is not installed.
    """
    from loom.config.kernel import Kernel

    return app_of(Kernel.from_yaml(*files, overrides=overrides, modules=modules))


def app_of(kernel: Kernel) -> App:
    """A FastAPI application over a kernel; see ``create_app``."""
    from loom.config.collector import uncollected

    with uncollected():
        return _shell(kernel).build(
            kernel.plans.interfaces,
            kernel,
            lifespan=kernel.lifespan,
            checks={"kernel": lambda: check_ready(kernel)},
            around=_surroundings(kernel),
        )


def mount(app: App, kernel: Kernel) -> None:
    """Serve the interfaces of a kernel inside a FastAPI application that exists.

    The kernel starts before the application and stops after it. The application's own routes, middleware, lifespan
    and error handlers stay as they are.

    Raises:
        CompileError: every issue of every declaration.
        MissingExtra: FastAPI is not installed.
    """
    _shell(kernel).attach(
        app,
        kernel.plans.interfaces,
        kernel,
        lifespan=kernel.lifespan,
        checks={"kernel": lambda: check_ready(kernel)},
        around=_surroundings(kernel),
    )


async def check_ready(kernel: Kernel) -> None:
    """Return where the kernel runs, is not about to end, and its store answers one small question.

    Raises:
        Unavailable: either is not so.
    """
    from loom.ports.persistence import Persistence

    if not kernel.running:
        raise Unavailable("the kernel does not run", remedy="wait until it has started")
    if kernel.draining:
        raise Unavailable("this process is about to end", remedy="send requests elsewhere")
    port: Any = Persistence
    store: Persistence = kernel.resolve(port)
    async with store.begin(read_only=True) as unit:
        for schema in kernel.plans.models[:1]:
            await unit.repository(schema.model).list(Query(limit=1))


def _shell(kernel: Kernel) -> FastapiShell:
    from loom.ports.clock import Clock
    from loom.ports.codec import Codec

    codec: Any = Codec
    clock: Any = Clock
    chosen = kernel.config.adapters["rest"]
    shell: FastapiShell = chosen.adapter.provider()(
        chosen.settings, codec=kernel.resolve(codec), clock=kernel.resolve(clock)
    )
    return shell


def _surroundings(kernel: Kernel) -> Surroundings:
    from loom.adapters.fastapi.shell import Surroundings
    from loom.config.measures import refresh_outbox
    from loom.ports.metrics import Metrics
    from loom.ports.security import Authenticator, Authorizer

    ports: tuple[Any, Any, Any] = (Authenticator, Authorizer, Metrics)
    authenticator, authorizer, metrics = map(kernel.resolve, ports)
    chosen = kernel.config.observability.metrics
    return Surroundings(
        authenticator=authenticator,
        authorizer=authorizer,
        metrics=metrics if chosen.enabled else None,
        metrics_path=chosen.path,
        refresh=(lambda: refresh_outbox(kernel, metrics),),
    )
