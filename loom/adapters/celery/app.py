"""The Celery application: one task that runs any job.

The queue side sends to it by name; a worker is started with Celery's own command on a module that says

    app = build_app(settings, runner_factory, queues=...)        # celery -A that.module worker

Jobs are never registered as Celery tasks, so a coroutine cannot become one by mistake: Celery would take the coroutine
object for its result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from celery import Celery, Task, signals
from kombu.entity import Queue

from loom.adapters.celery.loop import RunnerFactory, WorkerLoop
from loom.adapters.celery.messages import from_json
from loom.adapters.celery.settings import CelerySettings

log = logging.getLogger("loom.jobs.celery")

TASK = "loom.run_job"
HIGHEST_PRIORITY = 9


def build_app(
    settings: CelerySettings,
    runner_factory: RunnerFactory | None = None,
    *,
    queues: Iterable[str] = ("default",),
    set_up_logging: Callable[[], None] | None = None,
) -> Celery:
    """A Celery application over the broker of the settings. Connects with its first use.

    Args:
        settings: the broker, and how workers work.
        runner_factory: opens what runs jobs, in a worker; the sending side needs none.
        queues: the queues that a worker serves unless its command line names others (``-Q``).
        set_up_logging: called by a worker in place of Celery's own set-up, which would write every line a second time.
    """
    app = Celery("loom", broker=settings.broker_url, set_as_current=False)
    app.conf.update(_configuration(settings))
    priority = None if is_redis(settings) else HIGHEST_PRIORITY
    app.conf.task_queues = [Queue(name, max_priority=priority) for name in queues]  # type: ignore[no-untyped-call]
    if runner_factory is not None:
        _add_task(app, settings, WorkerLoop(runner_factory))
    if set_up_logging is not None:
        signals.setup_logging.connect(_without_arguments(set_up_logging), weak=False)
    return app


def is_redis(settings: CelerySettings) -> bool:
    """Whether the broker is a Redis; priorities count downwards there."""
    return settings.broker_url.startswith(("redis:", "rediss:"))


def _configuration(settings: CelerySettings) -> dict[str, Any]:
    return {
        # A message is acknowledged when its job has ended, and goes to another worker when this one is killed.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # A worker that holds messages which it cannot run yet keeps them from those that could.
        "worker_prefetch_multiplier": 1,
        "worker_pool": settings.pool,
        "worker_concurrency": settings.concurrency,
        # The root logger's handlers are those of the kernel.
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # What became of a job is in the status store.
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": "default",
        "broker_connection_timeout": settings.connect_timeout,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": _redis_options(settings) if is_redis(settings) else {},
    }


def _redis_options(settings: CelerySettings) -> dict[str, Any]:
    return {
        "visibility_timeout": settings.visibility_timeout,
        "unacked_restore_interval": settings.restore_interval,
        # Look each time: the default is each tenth time.
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",
        "priority_steps": list(range(HIGHEST_PRIORITY + 1)),
        "global_keyprefix": settings.key_prefix,
        "socket_connect_timeout": settings.connect_timeout,
        "socket_keepalive": True,
    }


def _add_task(app: Celery, settings: CelerySettings, loop: WorkerLoop) -> None:
    def run_job(self: Task, data: dict[str, Any]) -> None:
        message = from_json(data)
        try:
            loop.run(message)
        except Exception as error:
            log.warning("job %s %s is delivered again: %s", message.job, message.id, error, exc_info=error)
            raise self.retry(exc=error, countdown=settings.redelivery_delay, max_retries=None) from error

    app.task(run_job, name=TASK, bind=True, shared=False)
    # Of the process that ran jobs: a forked one, or the worker itself with threads. A weak reference would be gone.
    signals.worker_process_shutdown.connect(_without_arguments(loop.close), weak=False)
    signals.worker_shutdown.connect(_without_arguments(loop.close), weak=False)


def _without_arguments(call: Callable[[], None]) -> Callable[..., None]:
    return lambda **_: call()
