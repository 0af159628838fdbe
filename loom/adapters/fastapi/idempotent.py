"""Requests with an idempotency key: done once, answered as often as they come.

The key is taken first and the answer kept last in the unit of work of the request. Of several requests with one key in
this process, one works at a time and the others wait for it without a connection: they all get its answer. Another
process waits where the store makes it wait.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import attrs
from starlette.types import Message, Receive, Scope

from loom.adapters.fastapi.answer import Answer
from loom.application.rest.declare import Idempotency
from loom.application.rest.idempotency import (
    ExpireAnswers,
    KeyReused,
    RequestUnderWay,
    fingerprint,
    read_key,
    stored_key,
)
from loom.application.usecase.application import After, Application, Before
from loom.application.usecase.scope import Scope as CallScope
from loom.domain.context import Context
from loom.domain.errors import LoomError, Overtaken
from loom.domain.idempotency import REPLAYED_HEADER, KeptAnswer

_LOG = logging.getLogger("loom.rest")
_TRIES: Final = 3
_EXPIRE_EVERY: Final = 100
_REPLAYED: Final = (REPLAYED_HEADER.encode("ascii"), b"true")


class Call(Protocol):
    """Protocol of a use case that is ready to run."""

    async def __call__(self, *, before: Before, after: After) -> object:
        """Run it."""


class _Replay(Exception):
    """Ends a call whose key has an answer already."""

    def __init__(self, kept: KeptAnswer) -> None:
        self.kept = kept


@attrs.define(eq=False, repr=False)
class Keys:
    """What all routes share: whose turn it is for each key, and when answers are forgotten.

    ``lifetime`` and ``wait`` are in seconds; ``claims`` tell callers of one subject apart.
    """

    application: Application
    lifetime: float
    wait: float
    claims: tuple[tuple[str, ...], ...] = ()
    _under_way: dict[str, asyncio.Event] = attrs.field(factory=dict, init=False)
    _kept: int = attrs.field(default=0, init=False)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Hold a key, after all others that came before.

        Raises:
            RequestUnderWay: another request holds it for too long.
        """
        try:
            async with asyncio.timeout(self.wait):
                while (other := self._under_way.get(key)) is not None:
                    await other.wait()
        except TimeoutError:
            raise RequestUnderWay from None
        # Nobody else runs between the last look and this: there is no await.
        done = self._under_way[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[key]
            done.set()

    async def kept(self) -> None:
        """Count an answer; now and then forget those whose lifetime is over."""
        self._kept += 1
        if self._kept % _EXPIRE_EVERY:
            return
        try:
            await self.application.invoke(ExpireAnswers)
        except LoomError as error:
            # The request itself has succeeded; the next round tries again.
            _LOG.warning("answers to idempotency keys cannot be forgotten: %s", error)


@attrs.frozen(eq=False, repr=False)
class Keyed:
    """What one route does with keys."""

    mode: Idempotency
    keys: Keys

    def request(self, scope: Scope) -> KeyedRequest | None:
        """The request with its key; ``None`` where it has none.

        Raises:
            KeyRefused: the key is missing where it must not, or is none.
        """
        key = read_key(scope["headers"], required=self.mode is Idempotency.REQUIRED)
        return None if key is None else KeyedRequest(key, scope, self.keys)


@attrs.frozen(eq=False, repr=False)
class KeyedRequest:
    """One request with a key."""

    key: bytes
    scope: Scope
    keys: Keys
    _body: list[bytes] = attrs.field(factory=list, init=False)

    def recorded(self, receive: Receive) -> Receive:
        """``receive``, with what passes through it remembered for the fingerprint."""

        async def recording() -> Message:
            message = await receive()
            self._body.append(message.get("body", b""))
            return message

        return recording

    async def answer(self, call: Call, write: Callable[[Any], Answer], context: Context) -> Answer:
        """The answer of the first request with this key: of this one where it is the first.

        Raises:
            KeyReused: the key came before with another request.
            RequestUnderWay: the first one takes too long.
        """
        key = stored_key(self.key, context, self.keys.claims)
        async with self.keys.turn(key):
            # Where another process was first nothing of ours was kept: the next try sees its answer.
            for _ in range(_TRIES):
                try:
                    answer = await self._once(key, call, write)
                except Overtaken:
                    continue
                break
            else:
                raise RequestUnderWay
        await self.keys.kept()
        return answer

    async def _once(self, key: str, call: Call, write: Callable[[Any], Answer]) -> Answer:
        made: list[Answer] = []
        request = self._fingerprint()

        async def before(scope: CallScope) -> None:
            kept = await scope.unit.answers.claim(key, request, dt.timedelta(seconds=self.keys.lifetime))
            if kept is not None:
                raise _Replay(kept)

        async def after(scope: CallScope, result: object) -> None:
            answer = write(result)
            await scope.unit.answers.keep(key, _kept(answer, request))
            made.append(answer)

        try:
            await call(before=before, after=after)
        except _Replay as replay:
            if replay.kept.fingerprint != request:
                raise KeyReused from None
            return _replayed(replay.kept)
        return made[0]

    def _fingerprint(self) -> str:
        scope = self.scope
        return fingerprint(
            scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"],
            b"".join(self._body),
        )  # fmt: skip


def _kept(answer: Answer, request: str) -> KeptAnswer:
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in answer.headers}
    return KeptAnswer(fingerprint=request, status=answer.status, headers=headers, body=answer.body)


def _replayed(kept: KeptAnswer) -> Answer:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in kept.headers.items()]
    return Answer(kept.status, kept.body, (*headers, _REPLAYED))
