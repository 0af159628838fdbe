"""What Starlette itself refuses, in the one shape that problems have."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from loom.adapters.fastapi.answer import problem_answer
from loom.adapters.fastapi.request import context_of
from loom.application.rest.problems import PROBLEM_TYPE, problem
from loom.domain.context import CORRELATION_HEADER
from loom.domain.trace import TRACEPARENT_HEADER


async def http_problem(request: Request, error: Exception) -> Response:
    """The answer to an ``HTTPException``: no such path, or what a route of the user's own raises."""
    context = context_of(request.scope)
    correlation_id = context.correlation_id
    status = error.status_code if isinstance(error, HTTPException) else 500
    given = error.detail if isinstance(error, HTTPException) else ""
    detail = f"{request.url.path} does not exist" if status == 404 and given == "Not Found" else given
    answer = problem_answer(problem(status, detail, code=f"LOOM-REST-{status}", correlation_id=correlation_id))
    response = Response(answer.body, status, dict(getattr(error, "headers", None) or {}))
    response.headers["content-type"] = PROBLEM_TYPE
    response.headers[CORRELATION_HEADER] = correlation_id
    if context.trace is not None:
        response.headers[TRACEPARENT_HEADER] = context.trace.parent
    return response
