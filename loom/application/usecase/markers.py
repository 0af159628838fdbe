"""Markers of ``execute`` parameters: what a user writes as their defaults. What each one does stands in ``loads`` and
``parameters``."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from loom.domain.frozen import frozen


class OnMissing(enum.Enum):
    """What a load does where there is no such row."""

    RAISE = "raise"
    NONE = "none"


@frozen
class InputMarker:
    """The command of the call."""


@frozen
class HeaderMarker:
    """A header of the request; a parameter of the call by its own name where the caller is not HTTP."""

    name: str
    default: object


@frozen
class ExpectedVersionMarker:
    """The version that the caller expects the row to have."""


@frozen
class LoadByIdMarker:
    """The row whose key is in the parameter or command field ``by``."""

    model: type[Any]
    by: str
    on_missing: OnMissing
    profile: str


@frozen
class LoadMarker:
    """The row whose unique columns have the given values."""

    model: type[Any]
    by: str | Mapping[str, str]
    from_command: str
    from_param: str
    on_missing: OnMissing
    profile: str


@frozen
class ExistsMarker:
    """Whether a row has the given values."""

    model: type[Any]
    against: str | Mapping[str, str]
    from_command: str
    from_param: str
    on_missing: OnMissing


def Input() -> Any:  # noqa: N802 - markers read like types where they are used
    """The command of the call. A use case has at most one."""
    return InputMarker()


def Header(name: str, *, default: Any = ...) -> Any:  # noqa: N802
    """A header of the HTTP request, read into the parameter's type. A caller that is not HTTP gives it by the
    parameter's name.

    Args:
        name: of the header, case aside: ``"X-Client"``. A list is given with commas.
        default: value where the request has no such header. Without one the header is required, unless the
            annotation admits ``None``.
    """
    return HeaderMarker(name, default)


def ExpectedVersion() -> Any:  # noqa: N802
    """The version of the row that the caller read, or ``None`` where it does not say: what ``If-Match`` holds in HTTP.
    Pass it on: ``await self.main_repo.update(key, changes, expected_version=expected)``."""
    return ExpectedVersionMarker()


def LoadById(  # noqa: N802
    model: type, *, by: str = "id", on_missing: OnMissing = OnMissing.RAISE, profile: str = ""
) -> Any:
    """The entity whose key is named by ``by``: a field of the command, or else a parameter of the call.

    A key that was not sent, or is null, names no row: ``None`` is passed, whatever ``on_missing`` says.

    Args:
        model: the entity.
        by: where the key is.
        on_missing: ``RAISE`` answers ``NotFound`` by itself; ``NONE`` passes ``None``.
        profile: what is loaded beside the row, by its name in the model.
    """
    return LoadByIdMarker(model, by, on_missing, profile)


def Load(  # noqa: N802
    model: type,
    *,
    by: str | Mapping[str, str],
    from_command: str = "",
    from_param: str = "",
    on_missing: OnMissing = OnMissing.RAISE,
    profile: str = "",
) -> Any:
    """The entity whose unique columns have the values that the call gives.

        product: Product = Load(Product, by="sku")
        product: Product = Load(Product, by="sku", from_command="article")
        rate: Rate = Load(Rate, by={"country": "country_code", "since": "day"})

    A value that was not sent, or is null, names no row: ``None`` is passed, whatever ``on_missing`` says.

    Args:
        model: the entity.
        by: a unique column, or a mapping of columns that together are unique to the names of their sources. A source
            is a field of the command, or else a parameter of the call. One column alone has its own name as source.
        from_command: the field of the command that holds the value of the one column.
        from_param: the parameter of the call that holds it.
        on_missing: ``RAISE`` answers ``NotFound`` by itself; ``NONE`` passes ``None``.
        profile: what is loaded beside the row, by its name in the model.
    """
    return LoadMarker(model, by, from_command, from_param, on_missing, profile)


def Exists(  # noqa: N802
    model: type,
    *,
    against: str | Mapping[str, str],
    from_command: str = "",
    from_param: str = "",
    on_missing: OnMissing = OnMissing.NONE,
) -> Any:
    """Whether an entity has the values that the call gives; ``False`` where one of them was not sent or is null.

        taken: bool = Exists(Product, against="sku", from_command="sku")
        known: bool = Exists(Rate, against={"country": "country_code", "since": "day"}, on_missing=OnMissing.RAISE)

    Args:
        model: the entity.
        against: the column to compare with, or a mapping of columns to the names of their sources, which are fields of
            the command or else parameters of the call.
        from_command: the field of the command that holds the value of the one column.
        from_param: the parameter of the call that holds it.
        on_missing: ``NONE`` passes ``False``; ``RAISE`` answers ``NotFound`` by itself.
    """
    return ExistsMarker(model, against, from_command, from_param, on_missing)
