"""``Compute``: fields of the command that are derived before anything else happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from loom.domain.expr import Ref
from loom.domain.frozen import frozen

Function = Callable[..., Any]


@frozen(kw_only=True)
class Compute:
    """Sets one field of the command. Begin with ``Compute.set``; where a source was not sent nothing is set.

    Computes run in declaration order and before loads: they see fields of the command and parameters that the caller
    gave, and never a loaded row.
    """

    target: Ref
    sources: tuple[Ref, ...] = ()
    parameters: tuple[str, ...] = ()
    function: Function | None = None

    @classmethod
    def set(cls, target: Ref) -> Compute:
        """Name the field to set: ``Compute.set(F(CreateProduct).name)``."""
        return cls(target=target)

    def from_command(self, *sources: Ref, via: Function | None = None) -> Compute:
        """Compute from fields of the command too; ``via`` takes all values, fields before parameters. A single value
        needs none."""
        return attrs.evolve(self, sources=(*self.sources, *sources), function=via or self.function)

    def from_params(self, *names: str, via: Function | None = None) -> Compute:
        """Compute from parameters of the call too; ``via`` takes all values, fields before parameters. A single value
        needs none."""
        return attrs.evolve(self, parameters=(*self.parameters, *names), function=via or self.function)
