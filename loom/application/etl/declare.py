"""What a user writes: steps with sources and a target, processes of steps, pipelines of processes."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Self, TypeVar

import attrs

from loom.application.compile import here
from loom.domain.errors import Place
from loom.domain.expr import Expr
from loom.domain.frozen import frozen

P = TypeVar("P")


def declared_at() -> Place:
    """The line of the user's code that makes a source or target; for use as an attrs factory only."""
    # Above here(): this function, the generated __init__, the user's line.
    return here("declaration", depth=3)


@frozen
class Source:
    """Base of sources. ``columns`` and ``where`` are pushed down to what is read."""

    selected: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    predicate: Expr | None = attrs.field(default=None, kw_only=True, eq=False)
    declared_at: Place = attrs.field(factory=declared_at, kw_only=True, eq=False, repr=False)

    def columns(self, *names: str) -> Self:
        """Read these columns only, in this order."""
        return attrs.evolve(self, selected=names)

    def where(self, predicate: Expr) -> Self:
        """Read the rows for which the predicate is true; several calls must all hold.

        The predicate may use any column of the source, selected or not, and ``params``.
        """
        return attrs.evolve(self, predicate=predicate if self.predicate is None else self.predicate & predicate)


@frozen
class Target:
    """Base of targets."""

    declared_at: Place = attrs.field(factory=declared_at, kw_only=True, eq=False, repr=False)


class ETLStep(Generic[P]):
    """One transformation: sources in, ``execute``, one target out.

    Sources are class attributes. ``execute`` takes the parameters of the run as ``params`` (where it wants them) and
    each source as a keyword of the attribute's name, and returns a frame. The annotation of the frames says what they
    are: ``pl.LazyFrame``, ``pyspark.sql.DataFrame``, or ``narwhals.LazyFrame``, which runs on every engine.

    A step is made anew for each run, without arguments, and may run beside steps that it does not depend on.
    """

    target: ClassVar[Target | None] = None


class ETLProcess(Generic[P]):
    """Steps that belong together.

    What reads a table runs after what writes it, wherever the two stand; steps with nothing in common may run at the
    same time. A nested list states that its steps are independent of each other, which is then checked.
    """

    steps: ClassVar[list[Any]] = []


class ETLPipeline(Generic[P]):
    """Processes that run together, in the order that their steps' tables demand."""

    processes: ClassVar[list[Any]] = []
