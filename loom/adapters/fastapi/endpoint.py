"""The ASGI application of one path. It picks the operation by method, runs it, and answers whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import attrs
from starlette.types import Receive, Scope, Send

from loom.adapters.fastapi.answer import GONE, Answer, Response, Write, error_answer, problem_answer, writer
from loom.adapters.fastapi.conditional import expectation_of, tagged
from loom.adapters.fastapi.idempotent import Keyed, Keys
from loom.adapters.fastapi.measured import Meter
from loom.adapters.fastapi.request import Disconnected, HeaderReader, PathReader, QueryReader, context_of, read_body
from loom.adapters.fastapi.streamed import StreamedAnswer
from loom.application.rest.cursor import Cursors
from loom.application.rest.declare import Idempotency
from loom.application.rest.idempotency import KEY_HEADER
from loom.application.rest.pages import Pager
from loom.application.rest.plan import Reply, RoutePlan
from loom.application.rest.problems import InvalidRequest, Located, problem
from loom.application.usecase.application import Application
from loom.domain.context import Context
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.model import schema_of
from loom.domain.query import Query
from loom.ports.codec import Codec

_NO_QUERY = Query()


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Runtime:
    """What every operation needs to run. ``stall`` is how many seconds a client may take for a portion of a stream."""

    application: Application
    codec: Codec
    cursors: Cursors
    max_body_bytes: int
    keys: Keys
    stall: float | None = None


class Operation(Protocol):
    """Protocol of one method on one path."""

    @property
    def parts(self) -> Mapping[str, str]:
        """Where each parameter stands, by name: ``path`` or ``query``."""

    async def answer(self, scope: Scope, receive: Receive, context: Context) -> Response:
        """Do the work. What it raises becomes a problem document."""


class UseCaseOperation:
    """Runs the use case of a route. Everything that the plan could decide was decided in the constructor."""

    def __init__(self, route: RoutePlan, names: Sequence[str], runtime: Runtime) -> None:
        self._use_case = route.use_case.use_case
        self._command = route.command
        self._most_items = route.most_items
        self._path = PathReader(tuple(names), route.path_parameters) if names else None
        self._query = QueryReader(route.query_parameters)
        self._headers = HeaderReader(route.header_parameters) if route.header_parameters else None
        self.parts = _parts(route)
        self._query_needed = any(plan.required for plan in route.query_parameters)
        self._pager = _pager(route, runtime)
        keyed = route.idempotency is not Idempotency.OFF
        self._keyed = Keyed(route.idempotency, runtime.keys) if keyed else None
        self._expectation = expectation_of(route)
        self._write: Write = tagged(route, writer(route, runtime.codec, self._pager))
        self._status = route.reply.status
        self._streamed = route.reply.kind is Reply.STREAM
        self._runtime = runtime

    async def answer(self, scope: Scope, receive: Receive, context: Context) -> Response:
        """Read the request, invoke the use case, write its result."""
        keyed = self._keyed.request(scope) if self._keyed is not None else None
        if keyed is not None:
            receive = keyed.recorded(receive)
        params: dict[str, Any] = {}
        faults: list[Located] = []
        if self._path is not None:
            self._path.read(scope["path_params"], params, faults)
        if scope["query_string"] or self._query_needed:
            self._query.read(scope["query_string"], params, faults)
        if self._headers is not None:
            self._headers.read(scope["headers"], params, faults)
        command = None if self._command is None else await self._read_command(self._command, scope, receive, faults)
        if faults:
            raise InvalidRequest(faults)
        if self._expectation is not None:
            self._expectation.read(scope, params)
        query = _NO_QUERY
        if self._pager is not None:
            query = params[self._pager.argument] = self._pager.query(params)
        if keyed is not None:
            call = partial(self._runtime.application.invoke, self._use_case, command, params=params, context=context)
            return await keyed.answer(call, lambda result: self._write(result, scope, query), context)
        if self._streamed:
            call = partial(self._runtime.application.invoke, self._use_case, command, params=params, context=context)
            return StreamedAnswer(
                call=call,
                success=self._status,
                encode=self._runtime.codec.encode,
                receive=receive,
                stall=self._runtime.stall,
            )
        result: Any = await self._runtime.application.invoke(self._use_case, command, params=params, context=context)
        return self._write(result, scope, query)

    async def _read_command(self, command: type, scope: Scope, receive: Receive, faults: list[Located]) -> object:
        body = await read_body(scope, receive, self._runtime.max_body_bytes)
        try:
            found: object = self._runtime.codec.decode(body, command)
            if isinstance(found, list) and len(found) > self._most_items:
                raise _too_many(self._most_items)
            return found
        except InvalidInput as error:
            # Collected, so that faults of the path and the query string are told together with these.
            faults.extend(Located(part="body", error=fault) for fault in error.errors)
            return None


def _parts(route: RoutePlan) -> dict[str, str]:
    # A field of the body may have the name of a parameter: rules speak of fields more often.
    one = route.command if route.command is not None and attrs.has(route.command) else None
    fields = set(schema_of(one).names) if one is not None else set()
    found = {plan.name: "query" for plan in route.query_parameters}
    found |= {plan.name: "path" for plan in route.path_parameters}
    found |= {held.name: "header" for held in route.header_parameters}
    found[KEY_HEADER] = "header"
    return {name: part for name, part in found.items() if name not in fields}


def _too_many(most: int) -> InvalidInput:
    return InvalidInput([FieldError(path=(), message=f"must have at most {most} items", code="size")])


def _pager(route: RoutePlan, runtime: Runtime) -> Pager | None:
    if route.page is None:
        return None
    return Pager(route.page, route.path.shape, runtime.cursors, runtime.codec.unstructure)


class Resource:
    """All operations of one path, as a plain ASGI application."""

    def __init__(self, operations: Mapping[str, Operation], meter: Meter | None = None) -> None:
        self._operations = dict(operations)
        if "GET" in operations:
            self._operations["HEAD"] = operations["GET"]
        self._allow = ", ".join(sorted((*self._operations, "OPTIONS"))).encode("ascii")
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. No error leaves it but that of a streamed answer which has begun."""
        context = context_of(scope)
        operation = self._operations.get(scope["method"])
        meter = self._meter
        begun = meter.begin() if meter is not None else 0.0
        answer: Response | None = None
        try:
            try:
                if operation is None:
                    answer = self._other(scope["method"], context)
                else:
                    answer = await operation.answer(scope, receive, context)
            except Disconnected:
                return
            except Exception as error:  # noqa: BLE001 - the border of the process: everything becomes an answer
                answer = error_answer(error, context.correlation_id, operation.parts if operation is not None else {})
            await answer.send(scope, send, context)
        finally:
            if meter is not None:
                meter.end(begun, scope["method"], answer.status if answer is not None else GONE)

    def _other(self, method: str, context: Context) -> Answer:
        allow = ((b"allow", self._allow),)
        if method == "OPTIONS":
            return Answer(204, b"", allow)
        detail = f"{method} is not served here, {self._allow.decode()} are"
        document = problem(405, detail, code="LOOM-REST-METHOD", correlation_id=context.correlation_id)
        return problem_answer(document, allow)
