"""Does something to a library as soon as somebody imports it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import attrs


def when_imported(library: str, then: Callable[[], None]) -> None:
    """Call ``then`` right after the first import of ``library``; now, where it has been imported."""
    if library in sys.modules:
        then()
    elif _Awaited(library, then) not in sys.meta_path:
        sys.meta_path.insert(0, _Awaited(library, then))


@attrs.frozen(repr=False)
class _Awaited:
    """A finder that finds nothing by itself. It sees the import, and lets those behind it do the work."""

    library: str
    then: Callable[[], None]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.library:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: object) -> None:
        execute = loader.exec_module  # type: ignore[attr-defined]

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self.then()

        loader.exec_module = exec_module  # type: ignore[attr-defined]
