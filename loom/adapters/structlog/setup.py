"""Sets up logging: structlog and the standard library's loggers write the same lines.

Libraries log through ``logging``, applications through either; one handler on the root logger renders all of them, so
that a line has the same form, level and correlation id wherever it comes from.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog

from loom.adapters.structlog.settings import LogSettings
from loom.domain.context import current_context
from loom.domain.secrecy import shown

Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]

_HANDLER = "loom"
_levelled: list[str] = []
"""Loggers whose level the last call set; the next one takes it back."""


def set_up_logging(settings: LogSettings, *, stream: TextIO | None = None) -> None:
    """Send every log line to ``stream``, in the form and from the level that the settings say.

    It replaces what an earlier call set up and leaves the handlers of others alone. Call it once, when the process
    starts; libraries that configure logging themselves (a job worker) are to be told not to.

    Args:
        settings: form and levels.
        stream: where lines go; standard error if not given.
    """
    target = stream or sys.stderr
    root = logging.getLogger()
    for handler in [item for item in root.handlers if item.get_name() == _HANDLER]:
        root.removeHandler(handler)
    handler = logging.NullHandler() if settings.format == "silent" else _handler(settings, target)
    handler.set_name(_HANDLER)
    root.addHandler(handler)
    root.setLevel(_number("critical") + 1 if settings.format == "silent" else _number(settings.level))
    for name in _levelled:
        logging.getLogger(name).setLevel(logging.NOTSET)
    _levelled[:] = settings.levels
    for name, level in settings.levels.items():
        logging.getLogger(name).setLevel(_number(level))
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A later call, as in tests, must reach loggers that were made before it.
        cache_logger_on_first_use=False,
    )


def add_context(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the correlation id and the trace of the running scope, and who calls."""
    context = current_context.get()
    if context is not None:
        event.setdefault("correlation_id", context.correlation_id)
        if context.trace is not None:
            event.setdefault("trace_id", context.trace.trace_id)
            event.setdefault("span_id", context.trace.span_id)
        if context.principal is not None:
            event.setdefault("principal", context.principal.subject)
    return event


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values under secret names, at every depth, and passwords of addresses in any text."""
    return {key: shown(key, value) for key, value in event.items()}


def _shared() -> list[Processor]:
    return [
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        add_context,
    ]


def _handler(settings: LogSettings, stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    # Lines of the standard library come without what structlog's own lines have had added by now.
    foreign = [step for step in _shared() if step is not structlog.stdlib.filter_by_level]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*foreign, structlog.stdlib.ExtraAdder(), _drop_rendered],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings, stream)],
        )
    )
    return handler


def _renderers(settings: LogSettings, stream: TextIO) -> list[Processor]:
    # Tracebacks are text before secrets are hidden, and never show local variables: those hold secrets under any name.
    chain: list[Processor] = [structlog.processors.format_exc_info, hide_secrets]
    if settings.format == "json":
        return [*chain, structlog.processors.JSONRenderer(default=str)]
    plain = structlog.dev.plain_traceback
    return [*chain, structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]


def _drop_rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Another handler's formatter leaves these on the record; no caller can give them as extra values.
    event.pop("message", None)
    event.pop("asctime", None)
    # Uvicorn's own copy of its message, with colours.
    event.pop("color_message", None)
    return event


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
