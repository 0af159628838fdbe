"""A Celery worker over a configured kernel.

    LOOM_CONFIG=config/app.yaml celery -A loom.config.celery_worker worker

``LOOM_CONFIG`` holds one YAML file or more, separated as in ``PATH``. An application that binds services of its own
says in a module of its own how its kernel is made:

    app = worker_app(make_kernel)
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from loom.adapters.structlog.setup import set_up_logging
from loom.config.kernel import Kernel
from loom.domain.errors import ConfigError, Issue, Place
from loom.ports.jobs import JobRunner

if TYPE_CHECKING:
    from celery import Celery

VARIABLE = "LOOM_CONFIG"


def worker_app(make_kernel: Callable[[], Kernel]) -> Celery:
    """The Celery application whose workers run the jobs of a kernel.

    Args:
        make_kernel: makes the kernel; called once here, to compile all jobs, and once in each worker process.

    Raises:
        CompileError: every issue of every declaration; the worker does not start.
        ConfigError: the kernel's jobs do not run on Celery.
        MissingExtra: Celery is not installed.
    """
    kernel = make_kernel()
    chosen = kernel.config.adapters["jobs"]
    if chosen.adapter.name != "celery":
        where = Place(name="jobs.adapter")
        message = f"is {chosen.adapter.name!r}, so there is nothing for a Celery worker to do"
        raise ConfigError([Issue(code="LOOM-CONFIG-015", where=where, message=message, remedy="jobs.adapter: celery")])
    chosen.adapter.provider()  # tells of a missing extra before the import below does

    from loom.adapters.celery.app import build_app

    queues = sorted({"default", *(plan.queue for plan in kernel.plans.jobs.values())})

    @asynccontextmanager
    async def runner() -> AsyncIterator[JobRunner]:
        async with make_kernel() as started:
            yield started.job_worker

    log = kernel.config.observability.log
    return build_app(chosen.settings, runner, queues=queues, set_up_logging=lambda: set_up_logging(log))


def _from_environment() -> Kernel:
    files = [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    return Kernel.from_yaml(*files)


def __getattr__(name: str) -> Any:
    # Made when Celery asks for it: importing this module reads no configuration.
    if name == "app":
        return worker_app(_from_environment)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
