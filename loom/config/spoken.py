"""Text from the environment where the settings want a number: the one place where text may become something else.

An environment variable is always text, so that ``workers: ${oc.env:WORKERS,2}`` could never be an ``int`` under the
strict converter. Text that an interpolation gave is therefore read as the number or boolean that it spells, where, and
only where, the field is one. ``workers: "2"`` in the file itself stays a mistake.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any

from loom.application.conversion.containers import LISTS, MAPPINGS, split_union
from loom.application.conversion.converter import Converter

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class Spoken(str):
    """Text that an interpolation gave."""

    __slots__ = ()


def heard(value: Any, annotation: Any, converter: Converter) -> Any:
    """The value with all ``Spoken`` text in it read as what the annotation asks for, or else made plain text."""
    if isinstance(value, Spoken):
        return _read(str(value), split_union(annotation)[0])
    if isinstance(value, Mapping):
        return {key: heard(item, _inner(annotation, key, converter), converter) for key, item in value.items()}
    if isinstance(value, list):
        return [heard(item, _item(annotation), converter) for item in value]
    return value


def _read(text: str, members: list[Any]) -> Any:
    if any(isinstance(member, type) and issubclass(member, str) for member in members):
        return text
    if bool in members and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if int in members and _INTEGER.fullmatch(text):
        return int(text)
    if float in members and _FLOAT.fullmatch(text):
        return float(text)
    return text


def _inner(annotation: Any, key: Any, converter: Converter) -> Any:
    for member in split_union(annotation)[0]:
        plan = converter.plan(member)
        if plan is not None:
            return next((slot.annotation for slot in plan.slots if slot.name == key), Any)
        if (typing.get_origin(member) or member) in MAPPINGS and typing.get_args(member):
            return typing.get_args(member)[1]
    return Any


def _item(annotation: Any) -> Any:
    for member in split_union(annotation)[0]:
        arguments = typing.get_args(member)
        if (typing.get_origin(member) or member) in LISTS and arguments:
            return arguments[0]
    return Any
