"""The plan of a flow: an immutable tree of stages, in which everything that can be known beforehand is decided.

Engines know four families of stages and nothing else: a transform (items in, items out), a collector (records in,
batches out, with a clock), a branch (items to several paths) and a sink (items in, nothing out). A new kind of node
compiles into one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from loom.application.streaming.failure import DeadLetter, FailurePlan
from loom.domain.errors import Place
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class StepPlan:
    """One step.

    Attributes:
        name: unique in the flow.
        step: the class.
        dependencies: constructor arguments and the types that the container gives for them.
        whole: ``process`` takes envelopes rather than payloads.
        gives_whole: it returns envelopes.
        ends: it returns nothing, so that the path ends with it.
        accepts: classes of what it may return, or of the items of it; empty where that is anything.
        gives: the name of that.
        waits: it is a coroutine function.
        failure: what to do where it raises.
    """

    name: str
    step: type
    dependencies: tuple[tuple[str, type], ...]
    whole: bool
    gives_whole: bool
    ends: bool
    accepts: tuple[type, ...]
    gives: str
    waits: bool
    failure: FailurePlan


@frozen(kw_only=True)
class StagePlan:
    """One operator.

    ``id`` is unique in the flow and holds letters, digits and ``_`` only; ``title`` is for people. ``steps`` are the
    user's steps that it runs, in order.
    """

    id: str
    title: str
    steps: tuple[StepPlan, ...] = ()


@frozen(kw_only=True)
class TransformPlan(StagePlan):
    """Items in, items out."""

    def fused(self, following: StagePlan) -> StagePlan | None:
        """One stage that does the work of this one and the next; ``None`` where they stay two."""
        return None


@frozen(kw_only=True)
class CollectPlan(StagePlan):
    """Records in, batches out: closed by count, or ``timeout`` seconds after their first record."""

    max_records: int
    timeout: float


@frozen(kw_only=True)
class BranchPlan(StagePlan):
    """Items to one or more of several paths. ``labels`` say in words which path takes what."""

    paths: tuple[Path, ...]
    labels: tuple[str, ...]


@frozen(kw_only=True)
class SinkPlan(StagePlan):
    """Items in, nothing out.

    ``target`` is the name under which the report counts them; ``models`` are the entities whose tables must be there.
    """

    target: str
    failure: FailurePlan
    models: tuple[type, ...] = ()


Path: TypeAlias = tuple[StagePlan, ...]


@frozen(kw_only=True)
class SourcePlan:
    """Where records come from and what they are decoded into."""

    topic: str
    payload: Any
    failure: FailurePlan
    title: str


@frozen(kw_only=True)
class FlowPlan:
    """A compiled flow. ``errors`` is the topic of dead letters."""

    name: str
    group: str
    source: SourcePlan
    path: Path
    errors: str | None
    place: Place

    def stages(self) -> Iterator[StagePlan]:
        """Every stage, from the source on, branches in order."""
        return _walk(self.path)

    @property
    def steps(self) -> Iterator[StepPlan]:
        """Every step, in the order of the stages."""
        return (step for stage in self.stages() for step in stage.steps)

    @property
    def models(self) -> tuple[type, ...]:
        """The entities that the flow writes, each once."""
        sinks = [stage for stage in self.stages() if isinstance(stage, SinkPlan)]
        return tuple(dict.fromkeys(model for sink in sinks for model in sink.models))

    @property
    def failures(self) -> Iterator[FailurePlan]:
        """The failure plans of the source, the steps and the sinks."""
        yield self.source.failure
        yield from (step.failure for step in self.steps)
        yield from (stage.failure for stage in self.stages() if isinstance(stage, SinkPlan))

    @property
    def dead_letter_topics(self) -> frozenset[str]:
        """Every topic that may receive dead letters."""
        named = {plan.final.topic for plan in self.failures if isinstance(plan.final, DeadLetter)}
        return frozenset(topic for topic in {*named, self.errors} if topic)


def fuse(stages: Iterable[StagePlan]) -> Path:
    """Put neighbours together that can run as one operator."""
    fused: list[StagePlan] = []
    for stage in stages:
        last = fused[-1] if fused else None
        both = last.fused(stage) if isinstance(last, TransformPlan) else None
        fused[len(fused) - (both is not None) :] = [both or stage]
    return tuple(fused)


def _walk(path: Path) -> Iterator[StagePlan]:
    for stage in path:
        yield stage
        if isinstance(stage, BranchPlan):
            for branch in stage.paths:
                yield from _walk(branch)
