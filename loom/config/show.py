"""Shows the whole configuration, defaults included and secrets hidden, as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from loom.application.conversion.converter import make_converter
from loom.config.loaded import KeyPath
from loom.config.sections import SECTIONS
from loom.config.structure import Config
from loom.domain.secrecy import HIDDEN, shown


def show(config: Config) -> str:
    """YAML of every section: what was chosen and what was left at its default. No secret is in it."""
    converter = make_converter()
    found: dict[str, Any] = {}
    for section in SECTIONS:
        values: dict[str, Any] = {}
        chosen = config.adapters.get(section.name)
        if chosen is not None:
            values = {"adapter": chosen.adapter.name, **converter.unstructure(chosen.settings)}
        found[section.name] = {**values, **converter.unstructure(config.own[section.name])}
    for path in config.secrets:
        _hide(found, path)
    text: str = yaml.safe_dump(shown("", found), sort_keys=False, allow_unicode=True)
    return text


def _hide(values: Any, path: KeyPath) -> None:
    for key in path[:-1]:
        values = values[key]
    values[path[-1]] = HIDDEN
