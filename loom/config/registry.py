"""Which adapters there are: the built-in table, and what other distributions add by entry point.

Nothing of an adapter is imported before it is asked for, and its library not before it is provided.

A distribution adds an adapter in its own metadata, under the name ``<port>.<adapter>``:

    [project.entry-points."loom.adapters"]
    "transport.nats" = "loom_nats:ADAPTER"          # an ``Adapter``
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import attrs

from loom.domain.errors import MissingExtra

GROUP = "loom.adapters"


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Adapter:
    """One adapter of one port.

    Attributes:
        port: the section of the configuration that chooses it.
        name: the value of ``adapter:`` in that section.
        settings: ``module:attribute`` of the attrs class that the section's keys are read into; imports no vendor.
        provide: ``module:attribute`` of ``provide(settings, *, codec, clock)``; may import its vendor.
        modules: top-level modules of the vendor that must be installed.
        extra: the extra that installs them.
    """

    port: str
    name: str
    settings: str
    provide: str
    modules: tuple[str, ...] = ()
    extra: str = ""

    def settings_class(self) -> type:
        """The class of the settings."""
        found: type = _loaded(self.settings)
        return found

    def provider(self) -> Callable[..., Any]:
        """The function that makes the adapter.

        Raises:
            MissingExtra: its library is not installed.
        """
        if self.missing():
            raise MissingExtra(self.name, self.extra)
        found: Callable[..., Any] = _loaded(self.provide)
        return found

    def missing(self) -> tuple[str, ...]:
        """The modules that are not installed. Imports none of them."""
        return tuple(module for module in self.modules if not _installed(module))


def _adapter(port: str, name: str, *, stem: str = "", modules: Iterable[str] = (), extra: str = "") -> Adapter:
    """A line of the table, by the convention of file and class names; ``stem`` tells two ports of one package apart."""
    package, word = f"loom.adapters.{name}", f"_{stem}" if stem else ""
    return Adapter(
        port=port,
        name=name,
        settings=f"{package}.settings{word}:{name.capitalize()}{stem.capitalize()}Settings",
        provide=f"{package}.provide{word}:provide",
        modules=tuple(modules),
        extra=extra,
    )


BUILT_IN: tuple[Adapter, ...] = (
    _adapter("persistence", "memory", stem="persistence"),
    _adapter("persistence", "sqlalchemy", modules=("sqlalchemy", "greenlet"), extra="sqlalchemy"),
    _adapter("cache", "none"),
    _adapter("cache", "memory", stem="cache"),
    _adapter("cache", "redis", modules=("redis",), extra="cache"),
    _adapter("transport", "memory", stem="topics"),
    _adapter("transport", "kafka", modules=("confluent_kafka",), extra="kafka"),
    _adapter("jobs", "inline", stem="jobs"),
    _adapter("jobs", "celery", modules=("celery", "redis"), extra="jobs"),
    _adapter("etl", "polars", modules=("polars", "deltalake", "pyarrow"), extra="polars"),
    _adapter("etl", "spark", modules=("pyspark", "pyarrow"), extra="spark"),
    _adapter("streaming", "inline", stem="streaming"),
    _adapter("streaming", "bytewax", modules=("bytewax",), extra="streaming"),
    _adapter("rest", "fastapi", modules=("fastapi", "starlette"), extra="rest"),
    _adapter("security", "anonymous"),
    _adapter("security", "memory", stem="security"),
    _adapter("security", "jwt", modules=("jwt", "cryptography"), extra="rest"),
    _adapter("metrics", "memory", stem="metrics"),
    _adapter("metrics", "prometheus", modules=("prometheus_client",), extra="observability"),
    _adapter("codec", "json"),
)


class Registry:
    """The adapters of this installation, by port and name.

    Args:
        adapters: further adapters, which win over built-in ones of the same name; tests use it.
        points: the entry points to look at; those of the installed distributions where none are given.
    """

    def __init__(self, adapters: Iterable[Adapter] = (), points: Iterable[EntryPoint] | None = None) -> None:
        self._known: dict[tuple[str, str], Adapter] = {(item.port, item.name): item for item in (*BUILT_IN, *adapters)}
        self._given = points

    @cached_property
    def _points(self) -> Mapping[str, EntryPoint]:
        # Looking reads a file of every installed distribution: only for a name that is not built in.
        return {point.name: point for point in (entry_points(group=GROUP) if self._given is None else self._given)}

    def names(self, port: str) -> list[str]:
        """Names of the adapters of a port, sorted."""
        outside = {name.removeprefix(f"{port}.") for name in self._points if name.startswith(f"{port}.")}
        return sorted(outside | {name for of, name in self._known if of == port})

    def find(self, port: str, name: str) -> Adapter | None:
        """The adapter of that name, or ``None``.

        Raises:
            TypeError: an entry point of that name does not lead to an ``Adapter``.
        """
        if (port, name) not in self._known and f"{port}.{name}" in self._points:
            found = self._points[f"{port}.{name}"].load()
            if not isinstance(found, Adapter):
                raise TypeError(
                    f"entry point {GROUP} {port}.{name} must lead to an Adapter, not {type(found).__name__}"
                )
            self._known[(port, name)] = found
        return self._known.get((port, name))


def _loaded(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
