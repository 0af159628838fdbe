"""Reads configuration files: YAML with ``includes``, each value with the line that it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from loom.application.compile import Issues, nearest
from loom.config.loaded import KeyPath, dotted
from loom.domain.errors import Place
from loom.domain.frozen import frozen

INCLUDES = "includes"


@frozen(kw_only=True)
class Source:
    """One file, read but not yet merged: its values and where each stands."""

    file: str
    values: DictConfig
    lines: dict[KeyPath, int]

    def places(self) -> Iterator[tuple[KeyPath, Place]]:
        """Each key path of this file with its place."""
        for path, line in self.lines.items():
            yield path, Place(name=dotted(path), file=self.file, line=line)


def read_files(files: tuple[str | Path, ...], issues: Issues) -> list[Source]:
    """All files and what they include, in the order in which they are merged: included files before their includer."""
    found: list[Source] = []
    for file in files:
        _read(Path(file), (), Place(name=str(file)), issues, found)
    return found


def _read(file: Path, chain: tuple[Path, ...], asked: Place, issues: Issues, found: list[Source]) -> None:
    resolved = file.resolve()
    if resolved in chain:
        around = " -> ".join(path.name for path in (*chain[chain.index(resolved) :], resolved))
        issues.add(
            "LOOM-CONFIG-003", asked, f"files include each other in a circle: {around}", "remove one of the includes"
        )
        return
    source = _parsed(file, asked, issues)
    if source is None:
        return
    for index, name in _includes(source, issues):
        place = Place(name=f"{INCLUDES}[{index}]", file=source.file, line=_line(source, index))
        _read(file.parent / name, (*chain, resolved), place, issues, found)
    found.append(source)


def _parsed(file: Path, asked: Place, issues: Issues) -> Source | None:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        issues.add("LOOM-CONFIG-001", asked, f"file {str(file)!r} cannot be read: {error.strerror}", _near_file(file))
        return None
    except UnicodeDecodeError:
        issues.add("LOOM-CONFIG-002", Place(name=str(file)), f"file {str(file)!r} is not UTF-8 text")
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and not isinstance(root, yaml.MappingNode):
            issues.add("LOOM-CONFIG-002", Place(name=str(file), file=str(file), line=1), "must hold keys and values")
            return None
        values = OmegaConf.create(text) if root is not None else OmegaConf.create()
        assert isinstance(values, DictConfig)  # the root is a mapping
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        issues.add("LOOM-CONFIG-002", Place(name=file.name, file=str(file), line=line), f"not YAML: {error.problem}")
        return None
    except OmegaConfBaseException as error:
        name = error.full_key or file.name
        line = next((line for path, line in _lines(root, ()) if dotted(path) == name), 0) if root is not None else 0
        message = f"a value cannot be read: {_first_line(error)}"
        issues.add(
            "LOOM-CONFIG-002", Place(name=name, file=str(file), line=line), message, "correct the ${...} expression"
        )
        return None
    lines = dict(_lines(root, ())) if root is not None else {}
    return Source(file=str(file), values=values, lines=lines)


def _includes(source: Source, issues: Issues) -> Iterator[tuple[int, str]]:
    raw = OmegaConf.to_container(source.values, resolve=False)
    named = raw.get(INCLUDES, []) if isinstance(raw, dict) else []
    source.values.pop(INCLUDES, None)
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        place = Place(name=INCLUDES, file=source.file, line=source.lines.get((INCLUDES,), 0))
        issues.add("LOOM-CONFIG-002", place, "must be a list of file names, relative to this file")
        return
    yield from enumerate(names)


def _line(source: Source, index: int) -> int:
    return source.lines.get((INCLUDES, index), source.lines.get((INCLUDES,), 0))


def _lines(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index))


def _near_file(file: Path) -> str:
    try:
        names = {path.stem: path.name for path in file.parent.iterdir() if path.is_file()}
    except OSError:
        return ""
    # Without the ending, which nearly all of them share.
    near = nearest(file.stem, names)
    return f"did you mean {names[near]!r}?" if near else ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
