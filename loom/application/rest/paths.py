"""Path templates: ``/flights/{carrier}/{number}``."""

from __future__ import annotations

import re

import attrs

from loom.application.compile import Issues
from loom.domain.errors import Place
from loom.domain.model import ModelSchema

_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}")


@attrs.frozen(repr=False)
class PathTemplate:
    """A checked path. Each segment is fixed text or one parameter in braces."""

    text: str

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts between slashes."""
        return tuple(self.text.split("/")[1:])

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, from left to right."""
        return tuple(part[1:-1] for part in self.segments if part.startswith("{"))

    @property
    def shape(self) -> str:
        """The path without the names of its parameters: two paths of one shape match the same addresses."""
        return shape_of(self.text)


def shape_of(text: str) -> str:
    """A path, or a part of one, without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in text.split("/"))


def path_template(text: str, where: Place, issues: Issues) -> PathTemplate | None:
    """Check a whole path (prefix and route together), or record what is wrong with it."""
    fault = _fault(text)
    if fault:
        issues.add("LOOM-REST-005", where, f"path {text!r} {fault}", 'write paths like "/products/{product_id}"')
        return None
    template = PathTemplate(text)
    doubled = {name for name in template.parameters if template.parameters.count(name) > 1}
    for name in sorted(doubled):
        issues.add("LOOM-REST-005", where, f"path {text!r} names {{{name}}} twice", "give each parameter its own name")
    return None if doubled else template


def _fault(text: str) -> str:
    if not text.startswith("/"):
        return "does not begin with a slash"
    if text.endswith("/"):
        return "ends with a slash" if text != "/" else "is the root; give the interface a prefix"
    wrong = next((part for part in text.split("/")[1:] if not _SEGMENT.fullmatch(part)), None)
    return "" if wrong is None else f"has the segment {wrong!r}, which is neither plain text nor one {{parameter}}"


def keys_below(schema: ModelSchema, prefix: str) -> tuple[str, ...]:
    """The keys that the path of a row names behind a prefix: all but those that the prefix itself names."""
    named = prefix.split("/")
    return tuple(entry.name for entry in schema.keys if f"{{{entry.name}}}" not in named)
