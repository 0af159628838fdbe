"""Finds the application's declarations: by importing modules and collecting, or from an explicit list.

What counts as a declaration is a table: each area adds its line to ``COLLECTORS``.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import attrs

from loom.application.compile import Issues, nearest
from loom.config.loaded import KeyPath, Loaded
from loom.config.sections import Discovery
from loom.domain.errors import Place
from loom.domain.model import is_entity

PATH: KeyPath = ("app", "discovery", "include")


@attrs.frozen(eq=False, repr=False)
class Collector:
    """One kind of declaration.

    Attributes:
        kind: its name in ``Declarations``.
        base: ``module:class`` of its base class or, where ``objects``, of its own class; imported only if the
            application imported it, since without it there is nothing to collect.
        objects: declarations are objects at the top of a module and not subclasses.
    """

    kind: str
    base: str
    objects: bool = False

    def accepts(self, value: Any) -> bool:
        """Whether a value found in a module is such a declaration."""
        module, _, name = self.base.partition(":")
        base = getattr(sys.modules.get(module), name, None)
        if base is None:
            return False
        if self.objects:
            return isinstance(value, base)
        # A base class of the application's own has abstract methods or a name that begins with an underscore.
        return isinstance(value, type) and issubclass(value, base) and value is not base and not _abstract(value)


COLLECTORS: tuple[Collector, ...] = (
    Collector("use_cases", "loom.application.usecase.declaration:UseCase"),
    Collector("interfaces", "loom.application.rest.declare:RestInterface"),
    Collector("jobs", "loom.application.jobs.declare:Job"),
    Collector("pipelines", "loom.application.etl.declare:ETLPipeline"),
    Collector("flows", "loom.application.streaming.flow:StreamFlow", objects=True),
)


@attrs.frozen(eq=False, repr=False)
class Declarations:
    """Everything that was found, each once, in the order in which it was found."""

    entities: tuple[type, ...] = ()
    found: Mapping[str, tuple[Any, ...]] = attrs.field(factory=dict)

    def of(self, kind: str) -> tuple[Any, ...]:
        """The declarations of a kind of ``COLLECTORS``."""
        return self.found.get(kind, ())

    def joined(self, other: Declarations) -> Declarations:
        """Both together, each declaration once."""
        return _sorted([*self._all(), *other._all()])

    def _all(self) -> list[Any]:
        return [*self.entities, *(value for values in self.found.values() for value in values)]


def discover(discovery: Discovery, issues: Issues, loaded: Loaded | None = None) -> Declarations:
    """Import what the configuration names and collect its declarations.

    Args:
        discovery: the section.
        issues: modules that do not exist or cannot be imported, and attributes that are missing or no declarations.
        loaded: says where in the files each name stands.
    """
    values: list[Any] = []
    for index, name in enumerate(discovery.include):
        path = (*PATH, index)
        place = loaded.place(path) if loaded else Place(name=f"app.discovery.include[{index}]")
        reader = _listed if discovery.mode == "manifest" else _modules
        values.extend(reader(name, place, issues))
    return _sorted(values)


def collect(*modules: ModuleType) -> Declarations:
    """The declarations of modules that are imported already."""
    return _sorted([value for module in modules for value in _members(module)])


def _sorted(values: list[Any]) -> Declarations:
    unique = list({id(value): value for value in values}.values())
    return Declarations(
        entities=tuple(value for value in unique if is_entity(value)),
        found={item.kind: tuple(value for value in unique if item.accepts(value)) for item in COLLECTORS},
    )


def _modules(name: str, place: Place, issues: Issues) -> Iterator[Any]:
    module = _imported(name, place, issues)
    if module is None:
        return
    yield from _members(module)
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}.", onerror=lambda _: None):
        # Importing it would run it.
        if info.name.rpartition(".")[2] == "__main__":
            continue
        inner = _imported(info.name, place, issues)
        if inner is not None:
            yield from _members(inner)


def _members(module: ModuleType) -> Iterator[Any]:
    """What a module itself declares; what it imported from elsewhere is found there, if there is included."""
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ == module.__name__:
            yield value


def _listed(name: str, place: Place, issues: Issues) -> Iterator[Any]:
    module_name, colon, attribute = name.partition(":")
    if not colon or not attribute:
        issues.add("LOOM-CONFIG-014", place, f"{name!r} does not name a declaration", "write module:attribute")
        return
    module = _imported(module_name, place, issues)
    if module is None:
        return
    value = getattr(module, attribute, None)
    if value is None:
        public = [key for key in vars(module) if not key.startswith("_")]
        near = nearest(attribute, public)
        remedy = f"did you mean '{module_name}:{near}'?" if near else ""
        issues.add("LOOM-CONFIG-013", place, f"module {module_name!r} has no {attribute!r}", remedy)
    elif not is_entity(value) and not any(item.accepts(value) for item in COLLECTORS):
        kinds = ", ".join(["entities", *(item.kind for item in COLLECTORS)])
        issues.add("LOOM-CONFIG-014", place, f"{name!r} is no declaration", f"declarations are: {kinds}")
    else:
        yield value


def _imported(name: str, place: Place, issues: Issues) -> ModuleType | None:
    missing = _first_missing(name)
    if missing:
        near = nearest(missing.rpartition(".")[2], _siblings(missing))
        parent = missing.rpartition(".")[0]
        meant = f"{parent}.{near}" if parent else near
        remedy = f"did you mean {meant!r}?" if near else "is it installed, or its folder on PYTHONPATH?"
        issues.add("LOOM-CONFIG-012", place, f"module {missing!r} does not exist", remedy)
        return None
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  # a module may raise anything while it is imported
        message = f"module {name!r} cannot be imported: {type(error).__name__}: {error}"
        issues.add("LOOM-CONFIG-012", attrs.evolve(place, name=f"{place.name}, {_raised_at(error, name)}"), message)
        return None


def _first_missing(name: str) -> str:
    """The first part of a dotted name that does not exist; a parent that fails to import counts as there."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        part = ".".join(parts[:length])
        if part in sys.modules:
            continue
        try:
            if importlib.util.find_spec(part) is None:
                return part
        except Exception:  # noqa: BLE001  # the import that follows tells what is wrong with the parent
            return ""
    return ""


def _siblings(name: str) -> list[str]:
    parent = name.rpartition(".")[0]
    folders = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    return [info.name for info in pkgutil.iter_modules(folders)]


def _raised_at(error: Exception, name: str) -> str:
    """Where the application raised it: the last line of its own, though a library that it called may have raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    trace, found, own = error.__traceback__, name, ""
    while trace is not None:
        code, module = trace.tb_frame.f_code, str(trace.tb_frame.f_globals.get("__name__"))
        line = f"{code.co_filename}:{trace.tb_lineno}"
        if "importlib" not in code.co_filename and code.co_filename != __file__:
            found = line
        if module.partition(".")[0] == name.partition(".")[0]:
            own = line
        trace = trace.tb_next
    return own or found


def _abstract(cls: type) -> bool:
    return bool(getattr(cls, "__abstractmethods__", None)) or cls.__name__.startswith("_")
