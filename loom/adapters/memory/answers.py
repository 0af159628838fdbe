"""Answers to idempotency keys in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol

import attrs

from loom.application.units import UnitState
from loom.domain.idempotency import KeptAnswer
from loom.ports.clock import Clock


@attrs.frozen(eq=False)
class HeldAnswer:
    """An answer and the end of its lifetime; ``None`` while the unit of work that took the key runs."""

    answer: KeptAnswer | None
    expires_at: dt.datetime


class Claims(Protocol):
    """Protocol of the transaction: the answers that it adds, and the keys that it took with what it saw there."""

    answers: dict[str, HeldAnswer]
    claimed: dict[str, HeldAnswer | None]


@attrs.frozen(eq=False)
class MemoryAnswers:
    """The answers of one unit of work."""

    state: UnitState
    kept: dict[str, HeldAnswer]
    transaction: Callable[[], Claims]
    clock: Clock

    async def claim(self, key: str, fingerprint: str, lifetime: dt.timedelta) -> KeptAnswer | None:
        self.state.check_write()
        mine, now = self.transaction(), self.clock.now()
        found = mine.answers.get(key) or self.kept.get(key)
        if found is not None and found.answer is not None and found.expires_at > now:
            return found.answer
        mine.claimed[key] = self.kept.get(key)
        mine.answers[key] = HeldAnswer(None, now + lifetime)
        return None

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        self.state.check_write()
        mine = self.transaction().answers
        mine[key] = attrs.evolve(mine[key], answer=attrs.evolve(answer, headers=dict(answer.headers)))

    async def expire(self, limit: int) -> int:
        self.state.check_write()
        now = self.clock.now()
        over = [key for key, held in list(self.kept.items()) if held.expires_at <= now][:limit]
        for key in over:
            del self.kept[key]
        return len(over)
