"""Merges files and overrides by OmegaConf, and resolves every interpolation once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from loom.application.compile import Issues
from loom.config.files import read_files
from loom.config.loaded import KeyPath, Loaded
from loom.config.overrides import OVERRIDE, key_path, placed
from loom.config.spoken import Spoken
from loom.domain.errors import ConfigError, Place

_SECRET = "loom.secret"
_UNSET = re.compile(r"(?:Environment variable|secret) '(?P<name>[^']*)' (?:not found|is not set)")


def load_merged(files: tuple[str | Path, ...], overrides: Iterable[str]) -> Loaded:
    """Read and merge files, apply overrides, resolve interpolations; see ``load``.

    Raises:
        ConfigError: files or overrides that cannot be read at all; every one of them.
    """
    _register_resolvers()
    issues = Issues()
    merged, places = OmegaConf.create(), dict[KeyPath, Place]()
    for source in read_files(files, issues):
        merged = _merged(merged, source.values, Place(name=source.file), issues)
        places.update(source.places())
    for text in overrides:
        path, values = _override(text, issues)
        merged = _merged(merged, values, Place(name=text), issues)
        if path:
            placed(path, places)
    if issues.found:
        raise ConfigError(issues.found)
    return _resolve(merged, places)


def _merged(into: DictConfig, values: DictConfig, where: Place, issues: Issues) -> DictConfig:
    try:
        found = OmegaConf.merge(into, values)
    except (TypeError, OmegaConfBaseException) as error:
        message = f"does not fit the files before it: {_first_line(error)}"
        issues.add("LOOM-CONFIG-002", where, message, "a key must hold a list in all files, or keys and values in all")
        return into
    assert isinstance(found, DictConfig)  # two mappings merge into one
    return found


def _override(text: str, issues: Issues) -> tuple[KeyPath, DictConfig]:
    try:
        if OVERRIDE.fullmatch(text):
            return key_path(text), OmegaConf.from_dotlist([text])
        reason = ""
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        reason = f": {_first_line(error)}"
    issues.add("LOOM-CONFIG-011", Place(name=text), f"override {text!r} cannot be read{reason}", "section.key=value")
    return (), OmegaConf.create()


def _resolve(merged: DictConfig, places: Mapping[KeyPath, Place]) -> Loaded:
    walk = _Walk(loaded=Loaded(values={}, places=places))
    values = walk.container(merged, ())
    return Loaded(
        values=values,
        places=places,
        faulty=frozenset(walk.faulty),
        secrets=frozenset(walk.secrets),
        issues=tuple(walk.issues.found),
    )


@attrs.define
class _Walk:
    """Resolves every value by itself, so that one that fails does not hide the others."""

    loaded: Loaded
    issues: Issues = attrs.field(factory=Issues)
    faulty: set[KeyPath] = attrs.field(factory=set)
    secrets: set[KeyPath] = attrs.field(factory=set)

    def container(self, node: DictConfig | ListConfig, path: KeyPath) -> Any:
        if isinstance(node, DictConfig):
            keys: list[Any] = list(node)
            pairs = ((str(key), self.value(node, key, (*path, str(key)))) for key in keys)
            return {key: value for key, value in pairs if (*path, key) not in self.faulty}
        items = [self.value(node, index, (*path, index)) for index in range(len(node))]
        return [item for index, item in enumerate(items) if (*path, index) not in self.faulty]

    def value(self, node: DictConfig | ListConfig, key: Any, path: KeyPath) -> Any:
        if OmegaConf.is_missing(node, key):
            return self._fault(
                "LOOM-CONFIG-005", path, "is marked as required (???) and was given by no file", "give it a value"
            )
        spoken = OmegaConf.is_interpolation(node, key)
        try:
            value = node[key]
        except OmegaConfBaseException as error:
            return self._unresolved(path, error)
        if isinstance(value, DictConfig | ListConfig):
            return self.container(value, path)
        if spoken and f"{_SECRET}:" in str(OmegaConf.to_container(node, resolve=False)[key]):  # type: ignore[index]
            self.secrets.add(path)
        return Spoken(value) if spoken and isinstance(value, str) else value

    def _unresolved(self, path: KeyPath, error: OmegaConfBaseException) -> None:
        text = _first_line(error)
        unset = _UNSET.search(text)
        if unset is None:
            return self._fault("LOOM-CONFIG-004", path, f"cannot be resolved: {text}", "correct the ${...} expression")
        if "secret" in unset[0]:
            return self._fault(
                "LOOM-CONFIG-004", path, f"secret {unset['name']!r} is not set", _secret_remedy(unset["name"])
            )
        remedy = f"set {unset['name']}, or write a default: ${{oc.env:{unset['name']},value}}"
        return self._fault("LOOM-CONFIG-004", path, f"environment variable {unset['name']!r} is not set", remedy)

    def _fault(self, code: str, path: KeyPath, message: str, remedy: str) -> None:
        self.faulty.add(path)
        self.issues.add(code, self.loaded.place(path), message, remedy)


def _register_resolvers() -> None:
    if not OmegaConf.has_resolver(_SECRET):
        OmegaConf.register_resolver(_SECRET, _secret)


def _secrets_folder() -> Path:
    return Path(os.environ.get("LOOM_SECRETS_DIR", "/run/secrets"))


def _secret_remedy(name: str) -> str:
    return f"write the file {_secrets_folder() / name}, or set the environment variable {name}"


def _secret(name: str) -> str:
    # A name with a slash could read any file of the machine into the configuration.
    if re.fullmatch(r"[\w.-]+", name) and name not in (".", ".."):
        file = _secrets_folder() / name
        if file.is_file():
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        if name in os.environ:
            return os.environ[name]
    raise KeyError(f"secret '{name}' is not set")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
