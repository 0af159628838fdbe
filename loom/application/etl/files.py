"""``FromFile`` and ``IntoFile``: files by alias or path."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import PurePath

import attrs

from loom.application.etl.contract import Contract
from loom.application.etl.declare import Source, Target
from loom.application.etl.plan import Resource, SourcePlan, StepPlan, TargetPlan
from loom.application.etl.scene import SOURCES, TARGETS, Site, SourceBehaviour, TargetBehaviour
from loom.domain.frozen import frozen
from loom.ports.etl import EtlEngine


class FileFormat(enum.StrEnum):
    """The formats of files. A format is read off the file's suffix where it is not given."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"


ARCHIVE = ".zip"


def _texts(values: str | Sequence[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@frozen
class FromFile(Source):
    """Read a file, or one file inside a zip archive.

    Attributes:
        file: alias from the configuration, or a path.
        format: ``csv`` (with a header line, UTF-8), ``parquet`` or ``ndjson``.
        model: an entity or attrs class: the file must have its columns, and they are read in its types; other columns
            are left out. Without one, types are inferred from all rows of the file.
        null_values: texts that stand for null in a CSV file; an empty value always does.
        separator: one character between the values of a CSV file.
        member: name of the file inside the archive; may be left out where the archive holds one file.
    """

    file: str
    format: str = ""
    model: type | None = attrs.field(default=None, kw_only=True)
    null_values: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_texts)
    separator: str = attrs.field(default=",", kw_only=True)
    member: str = attrs.field(default="", kw_only=True)


@frozen
class IntoFile(Target):
    """Write a file in the place of the one that may be there; readers see the old one or the new one, never a part.

    Attributes:
        file: alias from the configuration, or a path.
        format: ``csv`` (with a header line, nulls empty), ``parquet`` or ``ndjson``.
    """

    file: str
    format: str = ""


@frozen(kw_only=True)
class FileSource(SourcePlan):
    """Read one file. ``member`` is set, or may be empty, only for archives."""

    path: str
    format: FileFormat
    contract: Contract | None = None
    null_values: tuple[str, ...] = ()
    separator: str = ","
    member: str = ""

    @property
    def archived(self) -> bool:
        """Whether the file is inside an archive."""
        return self.path.endswith(ARCHIVE)


@frozen(kw_only=True)
class FileTarget(TargetPlan):
    """Write one file."""

    path: str
    format: FileFormat


def _resource(declared: FromFile | IntoFile, engine: EtlEngine[StepPlan]) -> Resource:
    return Resource("file", engine.files.locate(declared.file))


def _plan_source(source: FromFile, site: Site) -> FileSource | None:
    files = site.scene.engine.files
    path = files.locate(source.file)
    if Resource("file", path) not in site.scene.written and not files.exists(source.file):
        _report_missing(source.file, path, site)
        return None
    contract = site.contract(source.model) if source.model is not None else None
    known = contract.kinds if contract else None
    site.check_columns(source.selected, known, f"file {source.file!r}")
    if source.predicate is not None:
        site.check_predicate(source.predicate, known)
    named = source.member or path.removesuffix(ARCHIVE)
    file_format = _format(source.format, named, site)
    if file_format is None:
        return None
    return FileSource(
        argument=site.argument,
        selected=source.selected,
        predicate=source.predicate,
        path=path,
        format=file_format,
        contract=contract,
        null_values=source.null_values,
        separator=source.separator,
        member=source.member,
    )


def _report_missing(name: str, path: str, site: Site) -> None:
    files = site.scene.engine.files
    if name in files.names():
        site.add("LOOM-ETL-010", f"file {name!r} leads to {path!r}, which does not exist", f"correct etl.files.{name}")
    else:
        site.issues.unknown("LOOM-ETL-010", site.where, "file", name, files.names())


def _plan_target(target: IntoFile, site: Site) -> FileTarget | None:
    path = site.scene.engine.files.locate(target.file)
    file_format = _format(target.format, path, site)
    return None if file_format is None else FileTarget(path=path, format=file_format)


def _format(declared: str, named: str, site: Site) -> FileFormat | None:
    wanted = (declared or PurePath(named).suffix.removeprefix(".")).lower()
    known = [each.value for each in FileFormat]
    if wanted in known:
        return FileFormat(wanted)
    if wanted:
        site.issues.unknown("LOOM-ETL-010", site.where, "file format", wanted, known)
    else:
        site.add("LOOM-ETL-010", f"the format of {named!r} cannot be told from its name", f"one of {', '.join(known)}")
    return None


SOURCES.register(FromFile, SourceBehaviour(reads=_resource, plan=_plan_source))
TARGETS.register(IntoFile, TargetBehaviour(writes=_resource, contract=lambda target: None, plan=_plan_target))
