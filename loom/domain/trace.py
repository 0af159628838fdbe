"""W3C Trace Context (level 1): the position of a piece of work in a distributed trace."""

from __future__ import annotations

import os
import re

from loom.domain.frozen import frozen

TRACEPARENT_HEADER = "traceparent"
TRACESTATE_HEADER = "tracestate"

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_STATE = re.compile(r"[\x20-\x7e]{1,512}", re.ASCII)
_SAMPLED = 0x01


@frozen
class Trace:
    """One span of a trace: ``trace_id`` names the whole, ``span_id`` this piece of work.

    ``state`` is what tracing vendors handed along (``tracestate``); it is passed on as it came.
    """

    trace_id: str
    span_id: str
    sampled: bool = False
    state: str = ""

    @classmethod
    def begin(cls, trace_id: str = "") -> Trace:
        """The first span of a new trace. ``trace_id`` is 32 lower-case hexadecimal digits where it is given."""
        drawn = _draw()
        return cls(trace_id or drawn[0], drawn[1], False, "")

    @classmethod
    def continued(cls, parent: str, state: str = "") -> Trace | None:
        """A new span below the one that a ``traceparent`` names; ``None`` where it is not one (section 3.2.2).

        A later version than ours is read by the parts that ours has; an unreadable ``tracestate`` is dropped alone.
        """
        found = _PARENT.fullmatch(parent)
        if found is None:
            return None
        version, trace_id, parent_id, flags, rest = found.groups()
        if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
            return None
        kept = state if _STATE.fullmatch(state) else ""
        return cls(trace_id, _draw()[1], bool(int(flags, 16) & _SAMPLED), kept)

    @property
    def parent(self) -> str:
        """The ``traceparent`` that names this span, for whoever is called from it."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_DIGITS = 48
_AT_ONCE = 128
_drawn: list[tuple[str, str]] = []
# A child process must not go on with the numbers of its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)


def _draw() -> tuple[str, str]:
    """The ids of a trace and of a span. Many are drawn at once: asking the system takes longer than all the rest."""
    try:
        return _drawn.pop()
    except IndexError:
        # What the module ``secrets`` does, without the cryptography that it imports for its other functions.
        digits = os.urandom(_AT_ONCE * _DIGITS // 2).hex()
        fresh = [(digits[at + 16 : at + _DIGITS], digits[at : at + 16]) for at in range(0, len(digits), _DIGITS)]
        kept = fresh.pop()
        _drawn.extend(fresh)
        return kept
