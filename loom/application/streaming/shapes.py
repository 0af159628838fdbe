"""What moves along the edges of a flow: records or batches, of one payload type."""

from __future__ import annotations

import collections.abc
import enum
import types
import typing
from typing import Any, Union

from loom.domain.frozen import frozen
from loom.domain.message import Envelope
from loom.domain.model import schema_of


class Shape(enum.Enum):
    """How payloads come. ``NONE`` is behind a sink: nothing comes any more."""

    RECORD = "records"
    BATCH = "batches"
    NONE = "nothing"


@frozen
class Moving:
    """What one node gives to the next."""

    shape: Shape
    payload: Any = None

    def __str__(self) -> str:
        noun = "batches of " if self.shape is Shape.BATCH else ""
        return f"{noun}{type_name(self.payload)}"


NOTHING = Moving(Shape.NONE)

RECORDS = frozenset({Shape.RECORD})
BATCHES = frozenset({Shape.BATCH})
ANY_SHAPE = frozenset({Shape.RECORD, Shape.BATCH})


def meets(given: Any, wanted: Any) -> bool:
    """Whether every payload of type ``given`` is one of type ``wanted``. Unknown types meet everything."""
    if wanted in (Any, object) or given in (Any, object) or given == wanted:
        return True
    if isinstance(wanted, typing.TypeVar) or isinstance(given, typing.TypeVar):
        return True
    if typing.get_origin(given) in (Union, types.UnionType):
        return all(meets(part, wanted) for part in typing.get_args(given))
    if typing.get_origin(wanted) in (Union, types.UnionType):
        return any(meets(given, part) for part in typing.get_args(wanted))
    return isinstance(given, type) and isinstance(wanted, type) and issubclass(given, wanted)


def classes_of(annotation: Any) -> tuple[type, ...]:
    """The classes of the values of a type, for ``isinstance``; empty where they may be of any."""
    if annotation is None:
        return (type(None),)
    if annotation is float:
        return float, int
    if annotation in (object, Any):
        return ()
    if isinstance(annotation, typing.NewType):
        return classes_of(annotation.__supertype__)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return classes_of(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = [classes_of(part) for part in typing.get_args(annotation)]
        return tuple(dict.fromkeys(cls for part in parts for cls in part)) if all(parts) else ()
    found = origin or annotation
    # A Protocol or a TypedDict is no class of its values.
    is_class = isinstance(found, type) and not getattr(found, "_is_protocol", False) and not typing.is_typeddict(found)
    return (found,) if is_class else ()


def model_fault(payload: Any) -> str:
    """Why messages cannot be read into a type; empty where they can."""
    try:
        schema_of(payload)
    except (TypeError, NameError) as error:
        return str(error)
    return ""


def type_name(annotation: Any) -> str:
    """The name of a type as its author wrote it."""
    if annotation is None or annotation is type(None):
        return "None"
    if typing.get_args(annotation):
        return str(annotation).replace("typing.", "").replace("collections.abc.", "")
    return str(getattr(annotation, "__name__", annotation))


def unwrapped(annotation: Any) -> tuple[Any, bool]:
    """The payload type of an annotation, and whether it is wrapped in an ``Envelope``."""
    if annotation is Envelope:
        return Any, True
    if typing.get_origin(annotation) is Envelope:
        return typing.get_args(annotation)[0], True
    return annotation, False


def without(annotation: Any, member: type) -> Any:
    """A type without one member of its union; ``None`` where nothing is left."""
    if annotation is member:
        return None
    if typing.get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    rest = tuple(part for part in typing.get_args(annotation) if part is not member)
    return Union[rest]  # noqa: UP007 - the members are only known now


def item_type(annotation: Any) -> Any:
    """The type of the items of a list, tuple, sequence or iterable; ``None`` where it is none of them."""
    origin = typing.get_origin(annotation) or annotation
    if not isinstance(origin, type) or not issubclass(origin, collections.abc.Iterable):
        return None
    if issubclass(origin, str | bytes | collections.abc.Mapping):
        return None
    arguments = [part for part in typing.get_args(annotation) if part is not Ellipsis]
    return arguments[0] if arguments else Any
