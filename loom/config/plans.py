"""Compiles everything that a deployment would run, and reports all issues of all areas together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.graph import compile_graph
from loom.application.usecase.executor import Executor
from loom.application.wiring import Resolver
from loom.config.discovery import Declarations
from loom.config.structure import Config
from loom.domain.model import ModelSchema, is_entity


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Plans:
    """The compiled deployment. The use cases' plans are in the executor."""

    models: tuple[ModelSchema, ...] = ()
    interfaces: tuple[Any, ...] = ()
    jobs: Mapping[str, Any] = attrs.field(factory=dict)
    pipelines: tuple[Any, ...] = ()
    flows: tuple[Any, ...] = ()


def compile_declarations(declarations: Declarations, executor: Executor, resolver: Resolver, issues: Issues) -> Plans:
    """Compile all declarations.

    Args:
        declarations: what discovery found.
        executor: takes the plans of use cases, those behind routes included.
        resolver: the container.
        issues: receives every fault; the plans are incomplete where it has any.
    """
    below = Issues()
    jobs = declarations.of("jobs")
    executor.compile((each for each in declarations.of("use_cases") if each not in jobs), below)
    interfaces = _interfaces(declarations, executor, resolver, below)
    compiled_jobs = _jobs(declarations, executor, resolver, below)
    # A class of the domain may be declared by a call elsewhere, so that no module with declarations holds it.
    used = [model for plan in executor.plans for model in plan.models if is_entity(model)]
    models = compile_graph([*declarations.entities, *used], issues).schemas
    # What is wrong with a model is told before what is wrong because of it.
    issues.found.extend(below.found)
    return Plans(
        models=models,
        interfaces=interfaces,
        jobs=compiled_jobs,
        pipelines=_pipelines(declarations, resolver, issues),
        flows=_flows(declarations, resolver, issues, frozenset(schema.model for schema in models)),
    )


# An area that the deployment does not use is not imported.


def _interfaces(declarations: Declarations, executor: Executor, resolver: Resolver, issues: Issues) -> tuple[Any, ...]:
    found = declarations.of("interfaces")
    if not found:
        return ()
    from loom.application.rest.access import check_callers
    from loom.application.rest.compile import check_duplicates, check_reserved, compile_interface
    from loom.application.rest.declare import is_base
    from loom.ports.security import Authenticator

    served = [cls for cls in found if not is_base(cls)]
    plans = [plan for cls in served if (plan := compile_interface(cls, issues, resolver, served)) is not None]
    routes = [route for plan in plans for route in plan.routes]
    check_duplicates(routes, issues)
    check_reserved(routes, _reserved(resolver.resolve(Config)), issues)
    port: Any = Authenticator
    if resolver.resolve(port).scheme is None:
        check_callers(plans, issues)
    for route in routes:
        executor.adopt(route.use_case)
    return tuple(plans)


def _reserved(config: Config) -> dict[str, str]:
    """Paths of loom's own, each with what it is; they would win over routes of the same path."""
    found = dict.fromkeys(("/health/live", "/health/ready"), "the health of the process")
    metrics = config.observability.metrics
    return {**found, metrics.path: "observability.metrics.path"} if metrics.enabled else found


def _jobs(declarations: Declarations, executor: Executor, resolver: Resolver, issues: Issues) -> Mapping[str, Any]:
    changes = _changes(resolver.resolve(Config))
    if not declarations.of("jobs") and not changes:
        return {}
    from loom.application.jobs.compile import check_redelivery, compile_jobs
    from loom.ports.jobs import JobQueue

    plans = compile_jobs(declarations.of("jobs"), issues, resolver, changes)
    port: Any = JobQueue
    check_redelivery(plans.values(), resolver.resolve(port), issues)
    for plan in plans.values():
        executor.adopt(plan.use_case)
    return plans


def _changes(config: Config) -> dict[str, dict[str, object]]:
    """What the deployment says about each job, without what it leaves to the class."""
    return {
        name: attrs.asdict(override, filter=lambda _, value: value is not None)
        for name, override in config.jobs.overrides.items()
    }


def _pipelines(declarations: Declarations, resolver: Resolver, issues: Issues) -> tuple[Any, ...]:
    found = declarations.of("pipelines")
    if not found:
        return ()
    from loom.application.etl.compile import compile_pipeline
    from loom.ports.etl import EtlEngine

    port: Any = EtlEngine
    engine = resolver.resolve(port)
    return tuple(plan for cls in found if (plan := compile_pipeline(cls, issues, engine)) is not None)


def _flows(declarations: Declarations, resolver: Resolver, issues: Issues, stored: Collection[type]) -> tuple[Any, ...]:
    found = declarations.of("flows")
    if not found:
        return ()
    from loom.application.streaming.compiler import compile_flow

    group_of = resolver.resolve(Config).group_of
    plans = (
        compile_flow(flow, issues, resolver, stores=stored.__contains__, group=group_of(flow.name)) for flow in found
    )
    return tuple(plan for plan in plans if plan is not None)
