"""From a declared flow to its plan, or to all its issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from loom.application.compile import Issues, place_of
from loom.application.streaming.failure import POLICIES, DeadLetter, FailurePlan, Policy, failure_plan
from loom.application.streaming.flow import AnyNode, FromTopic, Process, StreamFlow
from loom.application.streaming.kinds import NODES, Planned, title_of
from loom.application.streaming.nodes.into_topic import IntoTopic
from loom.application.streaming.plan import FlowPlan, Path, SourcePlan, StagePlan, fuse
from loom.application.streaming.shapes import Moving, Shape, meets, model_fault, type_name
from loom.application.wiring import Resolver
from loom.domain.errors import Place
from loom.domain.message import ErrorEnvelope


def compile_flow(
    flow: StreamFlow,
    issues: Issues,
    resolver: Resolver,
    *,
    stores: Callable[[type], bool] | None = None,
    group: str = "",
) -> FlowPlan | None:
    """Compile a flow.

    Args:
        flow: the declaration.
        issues: takes everything that is wrong, with codes ``LOOM-STREAM-0xx``.
        resolver: asked which constructor arguments of steps the container can give.
        stores: says which entities the store will know; ``None`` where the caller sees to those of the flow.
        group: the consumer group; the flow's name where none is given.

    Returns:
        The plan, or ``None`` where an issue was recorded.
    """
    before = len(issues.found)
    plan = _FlowCompiler(flow, issues, resolver, stores, group).run()
    return plan if len(issues.found) == before else None


@attrs.define(eq=False)
class _FlowCompiler:
    flow: StreamFlow
    issues: Issues
    resolver: Resolver
    stores: Callable[[type], bool] | None
    group: str
    names: dict[str, Place] = attrs.field(factory=dict)

    @property
    def place(self) -> Place:
        return attrs.evolve(self.flow.declared_at, name=f"flow {self.flow.name}")

    def run(self) -> FlowPlan:
        if not self.flow.name:
            self.issues.add(
                "LOOM-STREAM-001", self.place, "the flow has no name", 'give it one: StreamFlow(name="orders", ...)'
            )
        errors = self._errors()
        source = self._source()
        arrives = Moving(Shape.RECORD, source.payload)
        path = self.path(self.flow.process, arrives, source.title, "s")
        return FlowPlan(
            name=self.flow.name,
            group=self.group or self.flow.name,
            source=source,
            path=path,
            errors=errors,
            place=self.place,
        )

    def path(self, process: Process, arrives: Moving, before: str, prefix: str) -> Path:
        if not process.nodes:
            self.issues.add(
                "LOOM-STREAM-003", process.declared_at, "the process has no nodes", "end a path explicitly with Drain()"
            )
            return ()
        return self.nodes(process.nodes, arrives, before, prefix, process.declared_at)

    def nodes(
        self, nodes: Sequence[AnyNode], arrives: Moving, before: str, prefix: str, place: Place
    ) -> tuple[StagePlan, ...]:
        stages: list[StagePlan] = []
        for index, node in enumerate(nodes):
            if arrives.shape is Shape.NONE:
                self._unreachable(node, before)
                return fuse(stages)
            kind = NODES.require(node, self.issues, "LOOM-STREAM-002", _place(node, place))
            if kind is None:
                return fuse(stages)
            spot = _Spot(self, f"{prefix}{index}", kind.title(node), _place(node, place), arrives, before)
            spot.following = nodes[index + 1 :]
            if arrives.shape not in kind.takes:
                spot.wrong_shape(kind.takes)
                spot.arrives = attrs.evolve(arrives, shape=min(kind.takes, key=lambda shape: shape.value))
            planned: Planned = kind.plan(node, spot)
            stages += [planned.stage] if planned.stage is not None else []
            arrives, before, place = planned.leaves, spot.title, spot.place
            if spot.took_rest:
                return fuse(stages)
        if arrives.shape is not Shape.NONE:
            self.issues.add(
                "LOOM-STREAM-006",
                place,
                f"the path ends at {before}, and what it gives ({arrives}) goes nowhere",
                "end the path with IntoTopic(...), IntoTable(...) or Drain()",
            )
        return fuse(stages)

    def _unreachable(self, node: AnyNode, before: str) -> None:
        self.issues.add(
            "LOOM-STREAM-005",
            place_of(node),
            f"{title_of(node)} stands behind {before}, which gives nothing to the next node",
            "move it in front, or send a copy aside with Fork(Process(...))",
        )

    def _errors(self) -> str | None:
        errors = self.flow.errors
        if errors is None:
            return None
        if not isinstance(errors, IntoTopic) or errors.payload is not ErrorEnvelope:
            self.issues.add(
                "LOOM-STREAM-007",
                self.place,
                f"the error route is {title_of(errors)}, which does not take ErrorEnvelope",
                'write errors=IntoTopic("...", payload=ErrorEnvelope)',
            )
            return None
        self.refuse_loop(errors.name, title_of(errors), errors.declared_at)
        return errors.name

    def refuse_loop(self, topic: str, title: str, place: Place) -> None:
        """Record an issue where a topic is the one that the flow reads."""
        if topic == getattr(self.flow.source, "name", None):
            self.issues.add(
                "LOOM-STREAM-022",
                place,
                f"flow {self.flow.name} reads {topic!r}, and {title} writes into it: records would come round for ever",
                "write into another topic",
            )

    def _source(self) -> SourcePlan:
        source: object = self.flow.source
        if not isinstance(source, FromTopic):
            self.issues.add(
                "LOOM-STREAM-004",
                self.place,
                f"{type(source).__name__} is no source",
                'write source=FromTopic("...", payload=...)',
            )
            return SourcePlan(topic="", payload=Any, failure=FailurePlan(), title="the source")
        fault = model_fault(source.payload)
        if fault:
            self.issues.add(
                "LOOM-STREAM-008",
                source.declared_at,
                f"FromTopic({source.name!r}) cannot decode into {type_name(source.payload)}: {fault}",
                "a payload is an attrs class (@attrs.frozen, @event, @entity) whose fields have logical types",
            )
        return SourcePlan(
            topic=source.name,
            payload=source.payload,
            failure=self.failure(source.on_error, source.declared_at),
            title=f"FromTopic({source.name!r})",
        )

    def failure(self, policy: Policy | None, place: Place) -> FailurePlan:
        given: object = policy
        if given is not None and not isinstance(given, POLICIES):
            said = getattr(given, "__name__", repr(given))
            self.issues.add(
                "LOOM-STREAM-021",
                place,
                f"on_error is {said}, which is no failure policy",
                "write fail(), skip(), dead_letter(), or retry(3, then=...)",
            )
            return FailurePlan()
        plan = failure_plan(policy, has_route=self.flow.errors is not None)
        if isinstance(plan.final, DeadLetter) and plan.final.topic is None and self.flow.errors is None:
            self.issues.add(
                "LOOM-STREAM-015",
                place,
                f"dead_letter() names no topic, and flow {self.flow.name} has no error route",
                'write dead_letter("topic"), or StreamFlow(..., errors=IntoTopic("...", payload=ErrorEnvelope))',
            )
        return plan


def _place(node: AnyNode, otherwise: Place) -> Place:
    found = place_of(node)
    return found if found.file else otherwise


@attrs.define(eq=False)
class _Spot:
    """See ``Spot``."""

    compiler: _FlowCompiler
    id: str
    title: str
    place: Place
    arrives: Moving
    before: str
    following: Sequence[AnyNode] = ()
    took_rest: bool = False

    @property
    def issues(self) -> Issues:
        return self.compiler.issues

    @property
    def resolver(self) -> Resolver:
        return self.compiler.resolver

    def issue(self, code: str, message: str, remedy: str = "") -> None:
        self.issues.add(code, self.place, message, remedy)

    def expect(self, wanted: Any) -> None:
        if not meets(self.arrives.payload, wanted):
            self.issue(
                "LOOM-STREAM-010",
                f"{self.title} takes {type_name(wanted)}, but {self.before} gives {type_name(self.arrives.payload)}",
                f"put a step between them that makes {type_name(wanted)} of {type_name(self.arrives.payload)}",
            )

    def wrong_shape(self, takes: frozenset[Shape]) -> None:
        wanted = " or ".join(sorted(shape.value for shape in takes))
        remedy = (
            "put ForEach() between them"
            if self.arrives.shape is Shape.BATCH
            else "put CollectBatch(max_records=..., timeout_ms=...) between them"
        )
        self.issue(
            "LOOM-STREAM-009",
            f"{self.title} takes {wanted}, but {self.before} gives {self.arrives.shape.value}",
            remedy,
        )

    def branch(self, process: Process, label: str) -> Path:
        return self.compiler.path(process, self.arrives, self.before, f"{self.id}_{label}_")

    def rest(self) -> Path:
        self.took_rest = True
        return self.compiler.nodes(self.following, self.arrives, self.title, f"{self.id}_rest_", self.place)

    def failure(self, policy: Policy | None) -> FailurePlan:
        return self.compiler.failure(policy, self.place)

    def claim_table(self, entity: type) -> None:
        stores = self.compiler.stores
        if stores is not None and not stores(entity):
            self.issue(
                "LOOM-STREAM-024",
                f"{self.title} writes {entity.__name__} of {entity.__module__}, which is not discovered, so that the "
                "store will not know it",
                f"add {entity.__module__!r} to app.discovery.include",
            )

    def claim_topic(self, topic: str) -> None:
        self.compiler.refuse_loop(topic, self.title, self.place)

    def claim_step(self, name: str) -> None:
        if name in self.compiler.names:
            self.issue(
                "LOOM-STREAM-011",
                f"two steps of flow {self.compiler.flow.name} are called {name!r}",
                "subclass one of them, or give it a name of its own: name = ...",
            )
        self.compiler.names[name] = self.place
