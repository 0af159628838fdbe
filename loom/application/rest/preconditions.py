"""Versions of rows in HTTP (RFC 9110, 8.8.3 and 13): entity tags, and the conditions that requests put on them.

The tag of a row is its version in quotes, and strong: whoever knows it knows every column. It belongs to one URL, so a
request with a query string, which may choose other columns or load relations, is answered without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from loom.application.compile import Issues
from loom.application.rest.declare import RestInterface
from loom.application.rest.plan import RoutePlan
from loom.application.usecase.expected import EXPECTED
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import MalformedInput, Place
from loom.domain.model import ModelSchema, is_entity, schema_of
from loom.domain.schema import INT_RANGE

IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
NO_VERSION: Final = 0
"""A version that no row has."""
_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
TAGS_PATTERN: Final = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
_LIST: Final = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_VERSION: Final = re.compile('"([1-9][0-9]{0,18})"')


def entity_tag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def expected_version(text: str) -> int | None:
    """The version that ``If-Match`` asks for; ``None`` where any will do, ``NO_VERSION`` where none is named.

    Raises:
        MalformedInput: the text is no list of entity tags, or names several versions.
    """
    if text.strip() == "*":
        return None
    # A weak tag is equal to none here (13.1.1), and what is no version of ours was never given out.
    known = (_VERSION.fullmatch(tag) for tag in _tags(IF_MATCH, text))
    versions = {version for found in known if found and (version := int(found[1])) <= INT_RANGE[1]}
    if len(versions) > 1:
        raise MalformedInput("the header If-Match names several versions", remedy="name the one that was read")
    return versions.pop() if versions else NO_VERSION


def is_current(text: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag, so that the client has what it asks for.

    Raises:
        MalformedInput: the text is no list of entity tags.
    """
    return text.strip() == "*" or tag in {each.removeprefix("W/") for each in _tags(IF_NONE_MATCH, text)}


def versioned(result: Any) -> str:
    """The name of the field that holds the version of a result; empty where the result has none."""
    return schema_of(result).version if is_entity(result) else ""


def expected_parameter(plan: UseCasePlan) -> str:
    """The parameter of a use case that takes the expected version; empty where it takes none."""
    return next((param.name for param in plan.params if param.source == EXPECTED), "")


def compile_precondition(plan: UseCasePlan, interface: type[RestInterface[Any]], where: Place, issues: Issues) -> bool:
    """Whether a route refuses requests without ``If-Match``; an expected version that nothing can have is an issue."""
    name = expected_parameter(plan)
    if name and not (plan.model and schema_of(plan.model).version):
        told = plan.model.__name__ if plan.model else "no entity"
        issues.add(
            "LOOM-REST-030",
            where,
            f"{plan.name} expects a version, but its main model is {told}, which keeps none",
            "declare entity(..., version=True)",
        )
    return bool(name) and interface.require_if_match


def check_required(
    interface: type[RestInterface[Any]],
    schema: ModelSchema | None,
    routes: Iterable[RoutePlan],
    where: Place,
    issues: Issues,
) -> None:
    """Record an interface that wants ``If-Match`` for generated changes of rows which keep no version to compare."""
    if not interface.require_if_match or schema is None or schema.version:
        return
    if any(route.generated and route.method in ("PATCH", "DELETE") for route in routes):
        told = f"require_if_match = True, but {schema.name} keeps no version, so that no change could be refused by it"
        issues.add("LOOM-REST-030", where, told, "declare entity(..., version=True)")


def _tags(header: str, text: str) -> list[str]:
    if not _LIST.fullmatch(text):
        raise MalformedInput(
            f"the header {header} is no list of entity tags", remedy='send the ETag as it came, with its quotes: "3"'
        )
    return re.findall(_TAG, text)
