"""What the three kinds of steps share: reading the signature of ``process`` and of the constructor."""

from __future__ import annotations

import inspect
import typing
from typing import Any

from loom.application.streaming.flow import Step
from loom.application.streaming.kinds import Spot
from loom.application.streaming.plan import StepPlan
from loom.application.streaming.shapes import classes_of, type_name, unwrapped
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Signature:
    """What ``process`` takes and gives, as annotated. ``takes`` is the type of its one argument."""

    takes: Any
    gives: Any
    waits: bool


def step_name(step: type[Step] | Step) -> str:
    """The name of a step in messages, dead letters and graphs."""
    return step.name or (step.__name__ if isinstance(step, type) else type(step).__name__)


def read_signature(step: object, spot: Spot) -> Signature | None:
    """Read ``process`` of a step class; where that cannot be done, record an issue and return ``None``."""
    if not isinstance(step, type):
        name = type(step).__name__
        spot.issue("LOOM-STREAM-012", f"{name}(...) is an object", f"write the class, {name}; the container builds it")
        return None
    process = getattr(step, "process", None)
    if process is None or getattr(process, "__isabstractmethod__", False):
        spot.issue("LOOM-STREAM-012", f"{spot.title} has no process method", "define def process(self, payload) in it")
        return None
    try:
        hints = typing.get_type_hints(process)
    except NameError as error:
        spot.issue(
            "LOOM-STREAM-012",
            f"an annotation of {spot.title}.process cannot be resolved: {error}",
            "import the name at module level, outside TYPE_CHECKING",
        )
        return None
    names = [*inspect.signature(process).parameters][1:]
    if len(names) != 1:
        spot.issue(
            "LOOM-STREAM-012",
            f"{spot.title}.process takes {len(names)} arguments besides self",
            "it takes one: what the node before it gives",
        )
        return None
    missing = [name for name in (names[0], "return") if name not in hints]
    if missing:
        spot.issue(
            "LOOM-STREAM-012",
            f"{spot.title}.process has no annotation for {' and '.join(missing)}",
            "annotate what it takes and what it gives; a step that gives nothing returns None",
        )
        return None
    return Signature(takes=hints[names[0]], gives=hints["return"], waits=inspect.iscoroutinefunction(process))


def plan_step(step: type[Step], signature: Signature, spot: Spot, *, takes: Any, gives: Any) -> StepPlan:
    """The plan of a step, from the types of one item that it takes and gives.

    Args:
        step: the class.
        signature: its ``process`` as ``read_signature`` gave it.
        spot: where it stands.
        takes: the type of one arriving item, perhaps wrapped in an ``Envelope``.
        gives: the type of one leaving item, perhaps wrapped in an ``Envelope``; ``None`` where nothing leaves.
    """
    name = step_name(step)
    spot.claim_step(name)
    payload, whole = unwrapped(takes)
    spot.expect(payload)
    return StepPlan(
        name=name,
        step=step,
        dependencies=_dependencies(step, spot),
        whole=whole,
        gives_whole=unwrapped(gives)[1],
        ends=gives is None or gives is type(None),
        accepts=classes_of(unwrapped(gives)[0]),
        gives=type_name(unwrapped(gives)[0]),
        waits=signature.waits,
        failure=spot.failure(step.on_error),
    )


def _dependencies(step: type[Step], spot: Spot) -> tuple[tuple[str, type], ...]:
    constructor: Any = inspect.getattr_static(step, "__init__")
    if constructor is object.__init__:
        return ()
    hints = typing.get_type_hints(constructor)
    found: list[tuple[str, type]] = []
    for parameter in [*inspect.signature(constructor).parameters.values()][1:]:
        wanted = hints.get(parameter.name)
        if isinstance(wanted, type) and spot.resolver.knows(wanted):
            found.append((parameter.name, wanted))
        elif parameter.default is inspect.Parameter.empty:
            spot.issue(
                "LOOM-STREAM-013",
                f"nothing is bound to {type_name(wanted)}, which {spot.title}({parameter.name}: ...) asks for",
                "bind it: kernel.bind(Type, instance)",
            )
    return tuple(found)
