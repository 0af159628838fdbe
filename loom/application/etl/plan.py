"""Plans: what an engine needs to know about a pipeline, decided once. No engine is named here."""

from __future__ import annotations

from typing import Any

import attrs

from loom.application.etl.frames import FrameKind
from loom.domain.errors import Place
from loom.domain.expr import Expr
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class SourcePlan:
    """Base of source plans.

    Attributes:
        argument: the keyword of ``execute`` that takes the frame.
        selected: columns to read, in order; all where empty.
        predicate: which rows to read; may refer to columns and ``params``.
    """

    argument: str
    selected: tuple[str, ...] = ()
    predicate: Expr | None = attrs.field(default=None, eq=False)


@frozen(kw_only=True)
class TargetPlan:
    """Base of target plans."""


@frozen
class Resource:
    """Something that steps read and write: the edges of the graph. ``kind`` is a word such as ``table``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


@frozen(kw_only=True)
class StepPlan:
    """One step, ready to run.

    Attributes:
        pipeline: name of the pipeline.
        name: ``Process.Step``, unique in the pipeline.
        step: the class; made anew, without arguments, for each run.
        frame: what its frames are.
        takes_params: whether ``execute`` wants the parameters.
        reads: what its sources read.
        writes: what its target writes.
        after: names of the steps that must have succeeded before.
        place: where the step is declared.
    """

    pipeline: str
    name: str
    step: type
    frame: FrameKind
    takes_params: bool
    sources: tuple[SourcePlan, ...]
    target: TargetPlan
    reads: tuple[Resource, ...]
    writes: Resource
    after: tuple[str, ...] = ()
    place: Place

    @property
    def process(self) -> str:
        """The process that the step stands in."""
        return self.name.partition(".")[0]


@frozen(kw_only=True)
class PipelinePlan:
    """A pipeline, ready to run. ``steps`` are in an order that respects ``after``."""

    name: str
    params: type[Any]
    steps: tuple[StepPlan, ...]
    place: Place
