"""Where this installation of loom came from, so that a missing extra is asked for at the same place.

The name of the distribution alone is not enough: an index may hold another project's package of that name.
"""

from __future__ import annotations

from typing import Any, Final

DISTRIBUTION: Final = "loom-kernel"


def how_to_add(extra: str) -> str:
    """What a reader does to get an extra of this very distribution.

    Where the installation recorded its origin (``direct_url.json``, PEP 610: a folder, an archive, a repository), it is
    a command that names it. Otherwise loom came from an index that only the reader knows, and it is a sentence.
    """
    origin = _origin()
    if origin is None:
        return f"add the extra '{extra}' to your requirement of {DISTRIBUTION}, and install it from where it came from"
    return f"pip install {requirement_of(origin, extra)}"


def requirement_of(origin: dict[str, Any], extra: str) -> str:
    """The argument of ``pip install`` for an extra of what was installed from ``origin``, quoted for a shell.

    Args:
        origin: the content of a ``direct_url.json``.
        extra: the name of the extra.
    """
    url: str = origin["url"]
    if "dir_info" in origin:
        edit = "-e " if origin["dir_info"].get("editable") else ""
        return f"{edit}'{_folder(url)}[{extra}]'"
    vcs: dict[str, Any] | None = origin.get("vcs_info")
    if vcs is not None:
        url = f"{vcs['vcs']}+{url}@{vcs.get('requested_revision') or vcs['commit_id']}"
    if origin.get("subdirectory"):
        url = f"{url}#subdirectory={origin['subdirectory']}"
    return f"'{DISTRIBUTION}[{extra}] @ {url}'"


def _origin() -> dict[str, Any] | None:
    # Imported here: they cost a start ten milliseconds, and only a message asks for them.
    import json
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        recorded = distribution(DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    found: dict[str, Any] | None = json.loads(recorded) if recorded else None
    return found


def _folder(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(url).path)
