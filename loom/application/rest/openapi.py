"""The OpenAPI 3.1 document of compiled interfaces. Pure: the same plans give the same document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from loom.application.rest.components import Components, Direction, Schema
from loom.application.rest.declare import Idempotency, PaginationMode
from loom.application.rest.idempotency import KEY_HEADER, KEY_PATTERN
from loom.application.rest.links import add_links
from loom.application.rest.plan import InterfacePlan, ParameterPlan, Reply, RoutePlan
from loom.application.rest.preconditions import IF_MATCH, IF_NONE_MATCH, TAGS_PATTERN
from loom.application.rest.problems import PROBLEM_TYPE, phrase, status_of
from loom.domain.errors import Forbidden, LoomError, Unauthenticated
from loom.ports.security import SecurityScheme

JSON_TYPE = "application/json"
STREAM_TYPE = "application/x-ndjson"
_PROBLEM: Schema = {
    "type": "object",
    "title": "Problem",
    "description": "A problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable identifier of the kind of problem."},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"enum": ["body", "query", "path", "header"]},
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) to the faulty value."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
                "required": ["in", "pointer", "detail", "code"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "correlation_id"],
}
_RETRY = {"Retry-After": {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}}
_CORRELATION = {"X-Correlation-ID": {"$ref": "#/components/headers/CorrelationId"}}
_REPLAYED = {"description": "There where the key had been answered before.", "schema": {"const": "true"}}
_ETAG = {
    "description": "The version of the row, for If-Match; not there where the request has a query string.",
    "schema": {"type": "string"},
}
_HEADERS = {
    "CorrelationId": {
        "description": "Identifies the request in every log line; taken from the request header of this name.",
        "schema": {"type": "string"},
    }
}


@attrs.frozen(eq=False, kw_only=True, repr=False)
class ApiInfo:
    """The head of the document."""

    title: str = "loom"
    version: str = "0"
    description: str = ""


def openapi_document(
    interfaces: Sequence[InterfacePlan],
    info: ApiInfo,
    *,
    reserved: Iterable[str] = (),
    scheme: SecurityScheme | None = None,
    answers: Sequence[type[LoomError]] = (),
) -> dict[str, Any]:
    """Describe every route of the interfaces: parameters, bodies, and every status that it can answer.

    Args:
        interfaces: compiled, without issues.
        info: the head of the document.
        reserved: names of component schemas that the document it becomes a part of has already.
        scheme: how callers show who they are; ``None`` where nobody can.
        answers: what every operation may answer beside its own errors.
    """
    components = Components(reserved)
    problem = components.add("Problem", _PROBLEM)
    routes = [
        attrs.evolve(route, errors=(*route.errors, *answers, *_refusals(route, scheme)))
        for interface in interfaces
        for route in interface.routes
    ]
    # Paths that differ only in the names of their parameters are one path to a client: the first one names them.
    templates: dict[str, RoutePlan] = {}
    paths: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for route in routes:
        first = templates.setdefault(route.path.shape, route)
        operation = _operation(route, first.path.parameters, components, problem)
        operation["operationId"] = _operation_id(route, taken)
        operation |= _security(route, scheme)
        paths.setdefault(first.path.text, {})[route.method.lower()] = operation
    add_links(paths, routes, {shape: first.path.text for shape, first in templates.items()})
    paths |= _health_paths(problem)
    head = {"title": info.title, "version": info.version, "description": info.description}
    return {
        "openapi": "3.1.0",
        "info": {name: text for name, text in head.items() if text},
        "tags": [{"name": name} for name in dict.fromkeys(tag for route in routes for tag in route.tags)],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "headers": _HEADERS,
            **({"securitySchemes": {scheme.name: dict(scheme.definition)}} if scheme else {}),
        },
    }


def _refusals(route: RoutePlan, scheme: SecurityScheme | None) -> Sequence[type[LoomError]]:
    """What a route answers to callers that it does not let in. A public one refuses credentials that are no good."""
    if scheme is None:
        return ()
    return (Unauthenticated,) if route.access.public else (Unauthenticated, Forbidden)


def _security(route: RoutePlan, scheme: SecurityScheme | None) -> dict[str, Any]:
    if scheme is None:
        return {}
    # OpenAPI 3.1 lets the names stand with any scheme, as roles.
    needed: dict[str, list[str]] = {scheme.name: list(route.access.requires)}
    return {"security": [{}, needed] if route.access.public else [needed]}


def _health_paths(problem: Schema) -> dict[str, dict[str, Any]]:
    """The paths that every application serves beside its interfaces."""
    body = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    success = {"description": "OK", "headers": dict(_CORRELATION), "content": {JSON_TYPE: {"schema": body}}}
    live = {"operationId": "health_live", "summary": "The process runs.", "responses": {"200": success}}
    refused = {str(status): _problem_response(status, problem) for status in (500, 503)}
    ready = {
        "operationId": "health_ready",
        "summary": "Requests can be answered.",
        "responses": {"200": success, **refused},
    }
    return {"/health/live": {"get": live}, "/health/ready": {"get": ready}}


def _operation(route: RoutePlan, names: Sequence[str], components: Components, problem: Schema) -> dict[str, Any]:
    in_path = [attrs.evolve(plan, name=name) for plan, name in zip(route.path_parameters, names, strict=True)]
    parameters = [_parameter(plan, "path", components) for plan in in_path]
    parameters += [_parameter(plan, "query", components) for plan in route.query_parameters]
    parameters += [
        _parameter(attrs.evolve(held.parameter, name=held.name, repeated=False), "header", components)
        for held in route.header_parameters
    ]
    if route.idempotency is not Idempotency.OFF:
        parameters.append(_key_parameter(route.idempotency))
    parameters += _conditions(route)
    described: dict[str, Any] = {"summary": route.summary, "tags": list(route.tags)}
    if parameters:
        described["parameters"] = parameters
    if route.command is not None:
        body = components.of(route.command, Direction.INPUT)
        if route.most_items:
            body |= {"maxItems": route.most_items}
        described["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": body}}}
    described["responses"] = {
        str(route.reply.status): _success(route, components),
        **_not_modified(route),
        **{str(status): _problem_response(status, problem) for status in _problem_statuses(route)},
    }
    return described


def _parameter(plan: ParameterPlan, place: str, components: Components) -> dict[str, Any]:
    schema = components.of_type(attrs.evolve(plan.type, nullable=False), Direction.INPUT)
    if plan.bounds is not None:
        schema |= {"minimum": plan.bounds[0], "maximum": plan.bounds[1]}
    if plan.default is not None:
        schema["default"] = plan.default
    described: dict[str, Any] = {"name": plan.name, "in": place, "required": place == "path" or plan.required}
    if plan.description:
        described["description"] = plan.description
    if plan.separated:
        described |= {"style": "form", "explode": False}
        schema["minItems"] = 1
    return {**described, "schema": schema}


def _conditions(route: RoutePlan) -> Iterable[dict[str, Any]]:
    schema = {"type": "string", "pattern": TAGS_PATTERN}
    if route.expected:
        told = "The ETag of the version that is changed; another version is left as it is (412)."
        yield {
            "name": IF_MATCH,
            "in": "header",
            "required": route.if_match_required,
            "description": told,
            "schema": schema,
        }
    if route.method == "GET" and route.reply.version:
        told = "The ETag that the client has; where nothing newer is there, it is not sent again (304)."
        yield {"name": IF_NONE_MATCH, "in": "header", "required": False, "description": told, "schema": schema}


def _key_parameter(mode: Idempotency) -> dict[str, Any]:
    return {
        "name": KEY_HEADER,
        "in": "header",
        "required": mode is Idempotency.REQUIRED,
        "description": "New for each new request, best a UUID. A request that is sent again with its key is answered "
        "as before, and not done again.",
        "schema": {"type": "string", "pattern": KEY_PATTERN},
    }


def _success(route: RoutePlan, components: Components) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_CORRELATION)
    if route.reply.location is not None or route.reply.created:
        headers["Location"] = {"description": "Path of the new row.", "schema": {"type": "string"}}
    if route.idempotency is not Idempotency.OFF:
        headers["Idempotency-Replayed"] = _REPLAYED
    if route.reply.version:
        headers["ETag"] = _ETAG
    described: dict[str, Any] = {"description": phrase(route.reply.status), "headers": headers}
    if route.reply.kind is not Reply.EMPTY:
        described["content"] = _content(route, components)
    return described


def _not_modified(route: RoutePlan) -> dict[str, Any]:
    if route.method != "GET" or not route.reply.version:
        return {}
    return {"304": {"description": phrase(304), "headers": {**_CORRELATION, "ETag": _ETAG}}}


def _content(route: RoutePlan, components: Components) -> dict[str, Any]:
    if route.reply.kind is not Reply.STREAM:
        return {JSON_TYPE: {"schema": _body(route, components)}}
    line = _value(route, components)
    text = {"type": "string", "description": "One JSON value on each line.", "contentSchema": line}
    return {STREAM_TYPE: {"schema": text}}


def _value(route: RoutePlan, components: Components) -> Schema:
    """The schema of one value or row of an answer; where a client may ask for some fields, of these as well."""
    whole = _whole(route, components)
    if not route.reply.fields:
        return whole
    some = components.of_fields(route.reply.type, route.reply.fields)
    return {"anyOf": [*whole.get("anyOf", [whole]), some]}


def _whole(route: RoutePlan, components: Components) -> Schema:
    """The schema of one value or row; where it depends on the profile, of each of them."""
    answers = route.reply.answers
    if not any(answers.values()):
        return components.of(route.reply.type, Direction.OUTPUT)
    each = [components.of_loaded(loaded, name) for name, loaded in answers.items() if loaded is not None]
    plain = [components.of(route.reply.type, Direction.OUTPUT)] if None in answers.values() else []
    # The richest first: whatever fits it fits the plain one too.
    return {"anyOf": [*each, *plain]} if len(each) + len(plain) > 1 else each[0]


def _body(route: RoutePlan, components: Components) -> Schema:
    schema = _value(route, components)
    if route.page is None:
        return schema
    properties: dict[str, Any] = {"items": {"type": "array", "items": schema}}
    if route.page.mode is PaginationMode.CURSOR:
        properties["next_cursor"] = {"type": ["string", "null"], "description": "Null on the last page."}
    else:
        properties["total"] = {"type": "integer", "minimum": 0, "description": "Rows in all."}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _problem_statuses(route: RoutePlan) -> Iterable[int]:
    return sorted({status_of(error) for error in route.errors} | {500})


def _problem_response(status: int, problem: Schema) -> dict[str, Any]:
    return {
        "description": phrase(status),
        "headers": {**_CORRELATION, **(_RETRY if status in (429, 503) else {})},
        "content": {PROBLEM_TYPE: {"schema": problem}},
    }


def _operation_id(route: RoutePlan, taken: set[str]) -> str:
    name = route.use_case.name
    if name in taken:
        parts = (part.strip("{}") for part in route.path.segments)
        name = "_".join((name, route.method.lower(), *parts))
    taken.add(name)
    return name
