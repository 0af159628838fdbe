"""``FromTemp`` and ``IntoTemp``: results that live as long as the run."""

from __future__ import annotations

from loom.application.etl.declare import Source, Target
from loom.application.etl.plan import Resource, SourcePlan, StepPlan, TargetPlan
from loom.application.etl.scene import SOURCES, TARGETS, Site, SourceBehaviour, TargetBehaviour
from loom.domain.frozen import frozen
from loom.ports.etl import EtlEngine


@frozen
class FromTemp(Source):
    """Read what an earlier step of the same run kept under ``name``."""

    name: str


@frozen
class IntoTemp(Target):
    """Keep the rows under ``name`` until the run ends."""

    name: str


@frozen(kw_only=True)
class TempSource(SourcePlan):
    """Read a temporary result."""

    name: str


@frozen(kw_only=True)
class TempTarget(TargetPlan):
    """Keep a temporary result."""

    name: str


def _resource(declared: FromTemp | IntoTemp, engine: EtlEngine[StepPlan]) -> Resource:
    return Resource("temporary result", declared.name)


def _plan_source(source: FromTemp, site: Site) -> TempSource:
    resource = _resource(source, site.scene.engine)
    if resource not in site.scene.written:
        known = [each.name for each in site.scene.written if each.kind == resource.kind]
        site.issues.unknown("LOOM-ETL-011", site.where, resource.kind, source.name, known)
    if source.predicate is not None:
        site.check_predicate(source.predicate, None)
    return TempSource(argument=site.argument, selected=source.selected, predicate=source.predicate, name=source.name)


def _plan_target(target: IntoTemp, site: Site) -> TempTarget | None:
    return TempTarget(name=target.name) if site.check_name(target.name, "temporary result") else None


SOURCES.register(FromTemp, SourceBehaviour(reads=_resource, plan=_plan_source))
TARGETS.register(IntoTemp, TargetBehaviour(writes=_resource, contract=lambda target: None, plan=_plan_target))
