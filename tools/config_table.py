"""Writes docs/reference/configuration.md: every section and key, read from the classes that the YAML is read into.

python -m tools.config_table
"""

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union

import attrs

from loom.application.conversion.converter import make_converter
from loom.config.registry import BUILT_IN
from loom.config.sections import SECTIONS, Section

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "configuration.md"
HEAD = """# Configuration

Every section and key of the YAML, with its default. `loom config show config.yaml` prints what a deployment has.

- Several files are merged from left to right: mappings key by key, lists as a whole. A file may name others, relative
  to itself, which come before it: `includes: [common.yaml]`. `"???"` for a value says that another file has to give it.
- `${oc.env:NAME}` is an environment variable, `${oc.env:NAME,default}` one with a default; `${app.name}` is another
  value of the configuration. The text of a variable is read as a number, or as `true` or `false`, where one is wanted.
- `${loom.secret:NAME}` is the text of the file `/run/secrets/NAME`, where orchestrators put secrets (or of the folder
  that `LOOM_SECRETS_DIR` names), else the environment variable `NAME`. It is shown nowhere; nor is a value that is
  called `password`, `secret`, `token` or the like, a password inside an address, or a private key.
- `--set section.key=value` overrides a value on the command line; the value is YAML: `--set 'rest.cors.origins=["*"]'`.
- An unknown key, a wrong type and a missing value are errors with file, line and the nearest name that exists.
- Durations are in seconds where nothing else is said.

This page is written from the source by `python -m tools.config_table`.
"""
NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any value"}
ENTRY = re.compile(r"^    (?P<name>\w+): (?P<text>.*?)(?=^    \w+: |^\S|\Z)", re.DOTALL | re.MULTILINE)
converter = make_converter()


@attrs.frozen
class Key:
    """One line of the page."""

    path: str
    type: str
    default: str
    text: str


def described(cls: type) -> dict[str, str]:
    """The descriptions of a class's attributes, from its docstring."""
    _, _, listed = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    return {found["name"]: " ".join(found["text"].split()) for found in ENTRY.finditer(listed)}


def keys_of(cls: type, prefix: str) -> Iterator[Key]:
    """The keys of a class; those of a class inside it are spelt out."""
    texts, hints = described(cls), typing.get_type_hints(cls)
    for attribute in attrs.fields(cls):
        hint, path = hints[attribute.name], f"{prefix}.{attribute.name}"
        inner, below = nested(hint)
        if inner is None or below or attribute.default is None:
            yield Key(path, spoken(hint), default_of(attribute), texts.get(attribute.name, ""))
        if inner is not None:
            yield from keys_of(inner, path + below)


def nested(hint: Any) -> tuple[type | None, str]:
    """The class whose keys stand below a key, and what stands between them: a name, where there are several."""
    for each in (hint, *typing.get_args(hint)):
        if isinstance(each, type) and attrs.has(each):
            return each, {Mapping: ".<name>", tuple: "[]"}.get(typing.get_origin(hint), "")
    return None, ""


def spoken(hint: Any) -> str:
    """A type in the words of somebody who writes YAML."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if each is type(None) else spoken(each) for each in inner)
    if origin is tuple:
        return f"list of: {spoken(inner[0])}"
    if origin is Mapping:
        return f"keys and values: {spoken(inner[1])}"
    return NAMES.get(hint, "keys and values")


def default_of(attribute: "attrs.Attribute[Any]") -> str:
    """A default as YAML, on one line."""
    if attribute.default is attrs.NOTHING:
        return "(required)"
    given: Any = attribute.default
    value = given.factory() if isinstance(given, attrs.Factory) else given  # type: ignore[arg-type]
    text = json.dumps(converter.unstructure(value), ensure_ascii=False)
    return f"`{text}`"


def tables(section: Section) -> Iterator[tuple[str, list[Key]]]:
    """The tables of a section: its own keys, then those of each adapter; each with what stands above it."""
    own = list(keys_of(section.shape, section.name))
    if own:
        yield "", own
    for adapter in BUILT_IN:
        if adapter.port == section.name:
            chosen = " (the default)" if adapter.name == section.adapter else ""
            extra = f"; needs the extra `{adapter.extra}`" if adapter.extra else ""
            title = f"`adapter: {adapter.name}`{chosen}{extra}"
            yield title, list(keys_of(adapter.settings_class(), section.name))


def all_keys() -> list[Key]:
    """Every key of every section and adapter."""
    return [key for section in SECTIONS for _, keys in tables(section) for key in keys]


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def render() -> str:
    """The whole page."""
    lines = [HEAD]
    for section in SECTIONS:
        lines += [f"## {section.name}", ""]
        text = inspect.cleandoc(section.shape.__doc__ or "").partition("\n\n")[0].partition(": ")[2]
        if text:
            lines += [sentence(" ".join(text.split())), ""]
        for title, keys in tables(section):
            if title:
                lines += [title + ("" if keys else ": nothing to choose") + ".", ""]
            if keys:
                lines += ["| Key | Value | Default | What it is |", "|---|---|---|---|"]
                lines += [
                    f"| `{key.path}` | {cell(key.type)} | {cell(key.default)} | {cell(sentence(key.text))} |"
                    for key in keys
                ]
                lines += [""]
    return "\n".join(lines)


def main() -> int:
    PAGE.write_text(render(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
