"""Where files lie: aliases and paths on this machine, and files inside zip archives."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from loom.domain.errors import EngineFailure
from loom.domain.frozen import frozen


@frozen
class LocalFiles:
    """Files of this machine. ``aliases`` are names to paths; relative paths start at the working folder."""

    aliases: Mapping[str, str] = attrs.field(factory=dict)

    def names(self) -> Sequence[str]:
        """All aliases, sorted."""
        return sorted(self.aliases)

    def locate(self, name: str) -> str:
        """The absolute path of an alias; any other name is a path itself."""
        return str(Path(self.aliases.get(name, name)).expanduser().absolute())

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        return Path(self.locate(name)).exists()


def local_folder(uri: str) -> str:
    """The absolute path of a folder that is given as a path or a ``file://`` URI.

    Raises:
        EngineFailure: the URI names another place than this machine.
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme != "file":
        remedy = "give a folder of this machine, or one that is mounted on it"
        raise EngineFailure(f"a lake at {uri!r} is not supported", remedy=remedy)
    return str(Path(rest if separator else uri).expanduser().absolute())


def unpack(archive: str, member: str, folder: Path) -> Path:
    """Unpack one file of a zip archive into a folder and give its path.

    Args:
        archive: path of the archive.
        member: name of the file inside; may be empty where the archive holds one file.
        folder: where the file goes; nothing is written outside of it, whatever the archive says.

    Raises:
        EngineFailure: no zip archive, no such member, or several files and no name.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            name = _member(archive, member, [each for each in opened.namelist() if not each.endswith("/")])
            path = folder / Path(name).name
            folder.mkdir(parents=True, exist_ok=True)
            with opened.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, length=1 << 20)
            return path
    except (OSError, zipfile.BadZipFile) as error:
        raise EngineFailure(f"archive {archive!r} cannot be read: {error}") from error


def _member(archive: str, member: str, names: Sequence[str]) -> str:
    if member in names:
        return member
    if not member and len(names) == 1:
        return names[0]
    said = f"has no file {member!r}" if member else f"holds {len(names)} files"
    raise EngineFailure(f"archive {archive!r} {said}", remedy=f"set member to one of: {', '.join(names[:12])}")
