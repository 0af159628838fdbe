"""From one ``RestRoute`` to its plan."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.rest.access import access_errors, compile_access
from loom.application.rest.declare import Idempotency, PaginationMode, RestInterface, RestRoute
from loom.application.rest.idempotency import KEY_HEADER, KeyRefused, KeyReused, RequestUnderWay, compile_idempotency
from loom.application.rest.pages import ListRules
from loom.application.rest.parameters import Parameters, compile_parameters
from loom.application.rest.paths import PathTemplate, path_template
from loom.application.rest.plan import PagePlan, Reply, ReplyPlan, RoutePlan
from loom.application.rest.preconditions import IF_MATCH, IF_NONE_MATCH, compile_precondition, expected_parameter
from loom.application.rest.problems import BodyTooLarge, PreconditionRequired, UnknownCursor, UnsupportedMedia
from loom.application.rest.replies import compile_reply
from loom.application.usecase.compiler import compile_use_case
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import UseCasePlan
from loom.application.wiring import Resolver
from loom.domain.errors import Conflict, InvalidInput, LoomError, MalformedInput, NotFound, Place, Unavailable
from loom.domain.model import ModelSchema, schema_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_BODY_METHODS = ("POST", "PUT", "PATCH")


def compile_route(
    route: RestRoute,
    interface: type[RestInterface[Any]],
    rules: ListRules,
    issues: Issues,
    resolver: Resolver,
    *,
    generated: bool = False,
) -> RoutePlan | None:
    """Compile a route and its use case; ``None`` where an issue was recorded."""
    before = len(issues.found)
    where = route.declared_at
    method = _method(route, where, issues)
    path = path_template(interface.prefix + route.path, where, issues)
    plan = _use_case(route, where, issues, resolver)
    if plan is None or path is None:
        return None
    reply = compile_reply(route, plan, where, issues)
    access = compile_access(route, interface, where, issues)
    parameters = compile_parameters(plan, path, _row(reply), rules, where, issues)
    if_match_required = compile_precondition(plan, interface, where, issues)
    idempotency = compile_idempotency(method, plan, reply.kind, interface, where, issues)
    _check_headers(method, plan, reply, idempotency, where, issues)
    if plan.command is not None and method not in _BODY_METHODS:
        issues.add(
            "LOOM-REST-010",
            where,
            f"{method} carries no body, but {plan.name} takes {plan.command.__name__}",
            f"use {', '.join(_BODY_METHODS)}, or make its fields parameters of execute",
        )
    if len(issues.found) > before:
        return None
    reply = _reply(reply, plan, interface, rules, parameters)
    return RoutePlan(
        method=method,
        path=path,
        summary=route.summary or _summary(plan),
        tags=tuple(interface.tags),
        use_case=plan,
        path_parameters=parameters.path,
        query_parameters=parameters.query,
        header_parameters=parameters.header,
        page=parameters.page,
        reply=reply,
        errors=(
            *_errors(plan, path, parameters.page),
            *access_errors(plan),
            *_condition_errors(method, plan, reply, if_match_required),
            *(() if idempotency is Idempotency.OFF else (KeyRefused, KeyReused, RequestUnderWay)),
            *route.errors,
        ),
        generated=generated,
        place=where,
        access=access,
        idempotency=idempotency,
        most_items=interface.bulk_size if typing.get_origin(plan.command) is list else 0,
        expected=expected_parameter(plan),
        if_match_required=if_match_required,
    )


def _reply(
    reply: ReplyPlan,
    plan: UseCasePlan,
    interface: type[RestInterface[Any]],
    rules: ListRules,
    parameters: Parameters,
) -> ReplyPlan:
    """The reply with what the interface says of it."""
    # What a profile loads changes without the row, and so without its version.
    loaded = plan.read_only and interface.default_profile
    return attrs.evolve(
        reply,
        answers=rules.answers if parameters.profiled else reply.answers,
        fields=tuple(interface.fields) if parameters.sparse else (),
        version="" if loaded else reply.version,
    )


def _method(route: RestRoute, where: Place, issues: Issues) -> str:
    method = str(route.method).upper()
    if method not in METHODS:
        issues.unknown("LOOM-REST-008", where, "method", str(route.method), METHODS)
    return method


def _use_case(route: RestRoute, where: Place, issues: Issues, resolver: Resolver) -> UseCasePlan | None:
    found: object = route.use_case
    if isinstance(found, type) and issubclass(found, UseCase):
        return compile_use_case(found, issues, resolver)
    issues.add(
        "LOOM-REST-009",
        where,
        f"use_case is {getattr(found, '__name__', found)!r}, which is not a UseCase class",
        "derive it from UseCase[Model, Result]",
    )
    return None


def _row(reply: ReplyPlan) -> ModelSchema | None:
    """The schema of a list's rows; what is wrong with it is recorded with the reply."""
    try:
        return schema_of(reply.type) if reply.kind in (Reply.PAGE, Reply.STREAM) else None
    except TypeError:
        return None


def _summary(plan: UseCasePlan) -> str:
    # The docstring of UseCase itself says nothing about this one.
    text = inspect.cleandoc(plan.use_case.__dict__.get("__doc__") or "")
    return text.splitlines()[0] if text else plan.name


def _check_headers(
    method: str, plan: UseCasePlan, reply: ReplyPlan, idempotency: Idempotency, where: Place, issues: Issues
) -> None:
    """Record headers that a use case asks for and that its route reads already."""
    read = {
        KEY_HEADER: idempotency is not Idempotency.OFF,
        IF_MATCH: bool(expected_parameter(plan)),
        IF_NONE_MATCH: method == "GET" and bool(reply.version),
    }
    for param in plan.params:
        for header, already in read.items():
            if already and param.header.lower() == header.lower():
                issues.add(
                    "LOOM-REST-017",
                    where,
                    f"{plan.name} takes the header {header} as {param.name!r}, but the route reads it already",
                    "leave it to the route, or give the header another name",
                )


def _condition_errors(method: str, plan: UseCasePlan, reply: ReplyPlan, required: bool) -> Iterator[type[LoomError]]:
    if expected_parameter(plan) or (method == "GET" and reply.version):
        yield MalformedInput
    if required:
        yield PreconditionRequired


def _errors(plan: UseCasePlan, path: PathTemplate, page: PagePlan | None) -> Iterator[type[LoomError]]:
    """What the operation can answer beside success, as far as its plan shows."""
    yield InvalidInput  # an unknown query parameter at least
    yield Unavailable
    if plan.command is not None:
        yield from (MalformedInput, BodyTooLarge, UnsupportedMedia)
    if page is not None and page.size is not None and page.mode is PaginationMode.CURSOR:
        yield UnknownCursor
    if path.parameters:
        yield NotFound
    for param in plan.params:
        yield from param.raises
    if not plan.read_only:
        yield Conflict
