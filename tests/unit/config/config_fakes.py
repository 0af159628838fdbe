"""Adapters that need no library, for tests of configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from loom.config.loading import load
from loom.config.registry import Adapter, Registry
from loom.config.structure import Config, structure
from loom.domain.errors import ConfigError
from loom.ports.clock import Clock
from loom.ports.codec import Codec


@attrs.frozen(kw_only=True)
class QueueSettings:
    """Settings with every kind of field that configuration has."""

    url: str
    workers: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    wait: float = 1.5
    durable: bool = True
    password: str = ""
    options: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class EmptySettings:
    """No settings."""


@attrs.frozen
class Made:
    """What ``provide`` made, so that a test sees what it was given."""

    settings: Any
    codec: Codec
    clock: Clock


def provide(settings: Any, *, codec: Codec, clock: Clock) -> Made:
    return Made(settings, codec, clock)


def fake(port: str, name: str, settings: type = EmptySettings, **more: Any) -> Adapter:
    return Adapter(
        port=port, name=name, settings=f"{__name__}:{settings.__name__}", provide=f"{__name__}:provide", **more
    )


REGISTRY = Registry(
    [
        *(fake(port, name) for port, name in [("persistence", "memory"), ("jobs", "inline"), ("transport", "memory")]),
        *(fake(port, name) for port, name in [("etl", "polars"), ("streaming", "inline"), ("rest", "fastapi")]),
        fake("security", "anonymous"),
        fake("metrics", "prometheus", modules=("no_such_library",), extra="observability"),
        fake("jobs", "queue", QueueSettings),
        fake("jobs", "absent", QueueSettings, modules=("no_such_library",), extra="jobs"),
    ],
    points=(),
)


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def told(error: ConfigError, folder: Path) -> list[tuple[str, str, str, str]]:
    """Code, place, message and remedy of every issue, with places relative to a folder."""
    found = [(issue.code, str(issue.where), issue.message, issue.remedy) for issue in error.issues]
    return [tuple(text.replace(f"{folder}/", "") for text in texts) for texts in found]  # type: ignore[misc]  # four


def configured(*files: Path, overrides: tuple[str, ...] = ()) -> Config:
    return structure(load(*files, overrides=overrides), REGISTRY)
