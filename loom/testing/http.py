"""``HttpTestHarness``: an application over a kernel, asked over HTTP without a socket."""

from __future__ import annotations

import json as json_module
import logging
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

import attrs

from loom.config.rest_app import app_of
from loom.domain.context import CORRELATION_HEADER
from loom.domain.errors import LoomError, MissingExtra
from loom.domain.frozen import frozen
from loom.ports.codec import Codec
from loom.testing.differences import unequal

T = TypeVar("T")
_BASE = "http://test"


class RequestOptions(TypedDict, total=False):
    """What a request may carry.

    ``json`` is encoded by the kernel's codec, so it may be a command, or anything that holds decimals and dates;
    ``content`` goes as it is. ``query`` is added to the query string of the path: each value as JSON would have it, a
    list repeats its parameter, and ``None`` is not sent. ``if_match`` takes an ETag.
    """

    json: object
    content: bytes
    query: Mapping[str, object]
    headers: Mapping[str, str]
    if_match: str
    idempotency_key: str
    bearer: str


@frozen
class HttpAnswer:
    """An answer. ``cause`` is what the server logged as the reason of a 5xx."""

    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    codec: Codec = attrs.field(repr=False)
    cause: BaseException | None = None

    @property
    def json(self) -> Any:
        """The body as plain JSON values.

        Raises:
            AssertionError: the body is not JSON.
        """
        try:
            return json_module.loads(self.body)
        except ValueError as error:
            raise AssertionError(f"{self} has no JSON body") from error

    def read(self, target: type[T]) -> T:
        """The body as a value of a type, read strictly by the kernel's codec."""
        return self.codec.decode(self.body, target)

    @property
    def etag(self) -> str:
        """The ``ETag``.

        Raises:
            AssertionError: there is none.
        """
        return self.header("ETag")

    @property
    def location(self) -> str:
        """The ``Location``.

        Raises:
            AssertionError: there is none.
        """
        return self.header("Location")

    def header(self, name: str) -> str:
        """The value of a header that must be there.

        Raises:
            AssertionError: it is not.
        """
        found = self.headers.get(name)
        assert found is not None, f"{self} has no {name}; it has {', '.join(sorted(self.headers))}"
        return found

    def expect(self, status: int) -> Self:
        """The answer itself, if it has this status.

        Raises:
            AssertionError: it has another. What the server logged is the cause.
        """
        if self.status != status:
            raise AssertionError(f"{self} was to be {status}") from self.cause
        return self

    def expect_problem(self, status: int, *, code: str = "", errors: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The problem document (RFC 9457), if the answer is one with this status.

        Args:
            status: of the answer.
            code: of the problem, such as ``LOOM-RULE``.
            errors: exactly these faults, each by part and JSON pointer: ``{"body/price": "must be positive"}``.

        Raises:
            AssertionError: it is not so.
        """
        self.expect(status)
        media = self.headers.get("content-type", "")
        assert media == "application/problem+json", f"{self} is no problem document but {media or 'nothing'}"
        document: dict[str, Any] = self.json
        assert not code or document["code"] == code, f"{self} has the code {document['code']}, not {code}"
        if errors is not None:
            found = [f"{each['in']}{each['pointer']}: {each['detail']}" for each in document.get("errors", [])]
            wanted = [f"{place}: {detail}" for place, detail in errors.items()]
            assert sorted(found) == sorted(wanted), unequal(f"errors of {self.request}", wanted, found)
        return document

    def __str__(self) -> str:
        body = self.body.decode("utf-8", "replace")
        return f"{self.request} -> {self.status} {body[:500]}{' ...' if len(body) > 500 else ''}".rstrip()


class HttpTestHarness:
    """Serves a kernel inside the test. The kernel starts when the block begins and stops when it ends.

        async with HttpTestHarness(Kernel.from_yaml(modules=[shop]), overrides={Mailer: fake}) as http:
            created = (await http.post("/products", json={"sku": "tea"})).expect(201)
            (await http.get(created.location)).expect(200)

    Args:
        kernel: not running yet.
        overrides: ports and services to put fakes in the place of; a type that nothing is bound to is bound.
        app: a FastAPI application that the kernel is mounted in; one over the kernel alone where none is given.
        headers: sent with every request.

    Raises:
        MissingExtra: the HTTP client, or FastAPI, is not installed.
        CompileError: every issue of every declaration.
    """

    def __init__(
        self,
        kernel: Any,
        *,
        overrides: Mapping[type, object] | None = None,
        app: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kernel = kernel
        self._overrides = dict(overrides or {})
        self._app = app
        self._headers = dict(headers or {})
        self._stack = AsyncExitStack()
        self._log = _Causes()
        self._client: Any = None
        self._codec: Any = None

    async def __aenter__(self) -> Self:
        httpx = _client_library()
        async with AsyncExitStack() as stack:
            for wanted, fake in self._overrides.items():
                if self.kernel.knows(wanted):
                    stack.enter_context(self.kernel.override(wanted, fake))
                else:
                    self.kernel.bind(wanted, fake)
            app = self._app or app_of(self.kernel)
            await stack.enter_async_context(app.router.lifespan_context(app))
            wanted_codec: Any = Codec
            self._codec = self.kernel.resolve(wanted_codec)
            stack.enter_context(self._log.listening())
            transport = httpx.ASGITransport(app=app)
            self._client = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url=_BASE, headers=self._headers)
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """Send a request; see ``RequestOptions``."""
        if self._client is None:
            raise LoomError("the harness is not open", remedy="write async with HttpTestHarness(kernel) as http")
        unknown = options.keys() - RequestOptions.__annotations__.keys()
        if unknown:
            known = ", ".join(RequestOptions.__annotations__)
            raise TypeError(f"a request has no option {', '.join(sorted(unknown))}; it has {known}")
        headers, content = dict(options.get("headers", {})), options.get("content")
        special = {
            "If-Match": options.get("if_match"),
            "Idempotency-Key": options.get("idempotency_key"),
            "Authorization": f"Bearer {options['bearer']}" if "bearer" in options else None,
        }
        headers |= {name: value for name, value in special.items() if value is not None}
        if "json" in options:
            content = self._codec.encode(options["json"])
            headers.setdefault("Content-Type", "application/json")
        query = urlencode(list(self._pairs(options.get("query", {}))))
        address = f"{path}{'&' if '?' in path else '?'}{query}" if query else path
        answer = await self._client.request(method, address, content=content, headers=headers)
        return HttpAnswer(
            request=f"{method} {path}",
            status=answer.status_code,
            headers=answer.headers,
            body=answer.content,
            codec=self._codec,
            cause=self._log.take(answer.headers.get(CORRELATION_HEADER, "")),
        )

    def _pairs(self, query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        for name, values in query.items():
            for value in values if isinstance(values, list | tuple | set | frozenset) else (values,):
                if value is not None:
                    text = self._codec.encode(value).decode()
                    yield name, json_module.loads(text) if text.startswith('"') else text

    async def get(self, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """``GET``; see ``RequestOptions``."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """``POST``; see ``RequestOptions``."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """``PUT``; see ``RequestOptions``."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """``PATCH``; see ``RequestOptions``."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """``DELETE``; see ``RequestOptions``."""
        return await self.request("DELETE", path, **options)

    async def drain(self) -> None:
        """Wait until every event was relayed and every job has run."""
        await self.kernel.drain()


class _Causes(logging.Handler):
    """Keeps the errors that the server logs, by the correlation id of their request."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._found: dict[str, BaseException] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of errors also where the kernel's own logging is silent."""
        log = logging.getLogger("loom.rest")
        level = log.level
        log.setLevel(min(log.getEffectiveLevel(), logging.ERROR))
        log.addHandler(self)
        try:
            yield
        finally:
            log.removeHandler(self)
            log.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._found[getattr(record, "correlation_id", "")] = error

    def take(self, correlation_id: str) -> BaseException | None:
        return self._found.pop(correlation_id, None)


def _client_library() -> Any:
    try:
        import httpx2
    except ImportError as error:
        raise MissingExtra("in-process HTTP client", "testing") from error
    return httpx2
