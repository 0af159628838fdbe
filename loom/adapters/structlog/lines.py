"""How a line is made: structlog's configuration, and the formatter that renders the lines of every logger.

Importing this imports structlog, and with it rich where that is installed; ``setup`` does so for the first line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from loom.adapters.structlog.settings import LogSettings
from loom.domain.context import current_context
from loom.domain.secrecy import shown

# Controls, line separators, and what turns the direction of the text behind it.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]


def configure() -> None:
    """Send the lines of structlog's own loggers to those of the standard library."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A later call, as in tests, must reach loggers that were made before it.
        cache_logger_on_first_use=False,
    )


def formatter(settings: LogSettings, *, colors: bool) -> logging.Formatter:
    """Renders the lines of both kinds of logger alike."""
    # Lines of the standard library come without what structlog's own lines have had added by now.
    foreign = [step for step in _shared() if step is not structlog.stdlib.filter_by_level]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*foreign, structlog.stdlib.ExtraAdder(), _drop_rendered],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings, colors)],
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


def one_line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write control characters as escapes, so that no text that came from outside begins a line or steers a terminal.

    A traceback keeps its lines, each of them indented: none looks like the beginning of another record.
    """
    made: dict[str, Any] = {}
    for key, value in event.items():
        if not isinstance(value, str):
            made[key] = value  # shown by its repr, which escapes by itself
        elif key in ("exception", "stack"):
            made[key] = "\n".join(f"  {_escaped(line)}" for line in value.split("\n"))
        else:
            made[key] = _escaped(value)
    return made


def _escaped(text: str) -> str:
    return text if text.isprintable() else _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


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


def _renderers(settings: LogSettings, colors: bool) -> list[Processor]:
    # Tracebacks are text before secrets are hidden, and never show local variables: those hold secrets under any name.
    chain: list[Processor] = [structlog.processors.format_exc_info, hide_secrets]
    if settings.format == "json":
        return [*chain, structlog.processors.JSONRenderer(default=str)]
    plain = structlog.dev.plain_traceback
    return [*chain, one_line, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]


def _drop_rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Another handler's formatter leaves these on the record; no caller can give them as extra values.
    event.pop("message", None)
    event.pop("asctime", None)
    # Uvicorn's own copy of its message, with colours.
    event.pop("color_message", None)
    return event
