"""Addresses of databases: read once, checked, and never shown with a password."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from loom.adapters.sqlalchemy.storage import POSTGRESQL, SQLITE
from loom.application.compile import nearest
from loom.domain.errors import ConfigError, Issue, Place

_DRIVERS = {SQLITE: "sqlite+aiosqlite", POSTGRESQL: "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_FORMS = "write sqlite+aiosqlite:///file.db or postgresql+asyncpg://user:password@host:5432/name"


def read_url(text: str) -> URL:
    """The address, with the driver that this adapter uses.

    Raises:
        ConfigError: not a URL, or a database or driver that this adapter does not know, or SQLite in memory, or a
            password that is not encoded as part of a URL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Neither the text nor the cause is shown: a broken URL may show its password anywhere.
        raise _refused("the address of the database is not a URL", _FORMS) from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None or url.drivername not in (driver, url.get_backend_name()):
        raise _refused(f"the driver {url.drivername!r} is not supported", _FORMS)
    url = url.set(drivername=driver)
    if url.get_backend_name() == SQLITE:
        _check_file(url)
    elif text.partition("://")[2].partition("?")[0].count("@") > 1:
        # What stands behind the first of them is taken for the host, and shown in every message about it.
        remedy = "write those of the user or the password as %40 (and a slash in them as %2F)"
        raise _refused("the address of the database has more than one '@'", remedy)
    return url


def check_options(url: URL, known: Iterable[str]) -> None:
    """Refuse options behind the ``?`` that the driver does not have; it would only say so when it connects.

    Raises:
        ConfigError: naming the first of them.
    """
    names = sorted(known)
    for option in url.query:
        if option not in names:
            near = "ssl" if option == "sslmode" else nearest(option, names)
            remedy = f"did you mean {near!r}?" if near else "see the options of the driver's connect()"
            raise _refused(f"the driver has no option {option!r}", remedy)


def shown(url: URL) -> str:
    """The address without password and without options, which may hold secrets as well."""
    return url.set(query={}).render_as_string(hide_password=True)


def _check_file(url: URL) -> None:
    name = url.database or ""
    if name in ("", ":memory:") or "mode=memory" in name or "memory" in url.query.get("mode", ""):
        remedy = "name a file, or choose persistence.adapter: memory"
        raise _refused("SQLite in memory has one connection, and so no isolation between units of work", remedy)
    if name.startswith("file:"):
        raise _refused("SQLite's own file: addresses are not supported", "write the path of the file itself")


def _refused(message: str, remedy: str) -> ConfigError:
    return ConfigError([Issue(code="LOOM-DB-001", where=Place(name="persistence.url"), message=message, remedy=remedy)])
