"""Whose fault an error is: the one rule that decides whether a failure policy is asked at all.

An error *of the record* comes again with the same record and spares the others: input that does not fit, a conflict,
a broken rule, whatever the code of a step raises. Its step's policy, or the flow's error route, decides.

An error *of the world* would meet every other record as well: a store or a broker that does not answer, an engine that
cannot work, a table that is not there. No policy is asked, as it would give up good records at full speed. The work is
tried again until the world is back (see ``outage``), and nothing past it is committed.

An error *of the wiring* (configuration, a model that the store does not know, a missing library) stays as long as the
process runs: the flow stops at once.
"""

from __future__ import annotations

import enum

from loom.domain.errors import (
    CompileError,
    ConfigError,
    EngineFailure,
    LoomError,
    MissingExtra,
    NotFound,
    Overtaken,
    ScopeFailed,
    StepFailed,
    Unavailable,
    Unbound,
)

# Overtaken: another unit of work was quicker, and the same one succeeds when it is run again.
_WORLD = (Unavailable, EngineFailure, Overtaken)
_WIRING = (ConfigError, CompileError, Unbound, MissingExtra)
# Where loom itself writes, a missing thing is a topic or a table, and what the system raises is not about a record.
_WORLD_OF_SINKS = (NotFound, OSError, MemoryError)
# These only say that something inside of them failed.
_WRAPPERS = (ScopeFailed, StepFailed)


class Fault(enum.Enum):
    """Whose fault an error is."""

    RECORD = "the record"
    WORLD = "the world"
    WIRING = "the wiring"


def fault_of(error: BaseException, *, by_user: bool) -> Fault:
    """Whose fault an error is.

    An error that is not loom's own, and was raised ``from`` another one, is judged by that: a step that wraps what the
    store says does not make it the record's fault. Of a group the gravest counts.

    Args:
        error: what was raised.
        by_user: whether a step of the user raised it, rather than a source, a sink or an error route.
    """
    if isinstance(error, BaseExceptionGroup):
        found = {fault_of(each, by_user=by_user) for each in error.exceptions}
        return next(fault for fault in (Fault.WIRING, Fault.WORLD, Fault.RECORD) if fault in found)
    if isinstance(error, _WIRING):
        return Fault.WIRING
    if isinstance(error, _WORLD) or (not by_user and isinstance(error, _WORLD_OF_SINKS)):
        return Fault.WORLD
    if error.__cause__ is not None and (isinstance(error, _WRAPPERS) or not isinstance(error, LoomError)):
        return fault_of(error.__cause__, by_user=by_user)
    return Fault.RECORD
