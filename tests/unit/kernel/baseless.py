"""A base of interfaces from which none derives: it is served nowhere."""

from __future__ import annotations

from typing import TypeVar

from loom.rest import RestInterface

M = TypeVar("M")


class Lonely(RestInterface[M]):
    auto = True
