"""Expressions over messages: checked against the payload's class, compiled once into closures over envelopes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import attrs

from loom.application.streaming.kinds import Spot
from loom.application.streaming.shapes import model_fault
from loom.domain.expr import Expr, Ref, Root, refs
from loom.domain.expr_python import Getter, attribute_getter, to_python
from loom.domain.message import Envelope
from loom.domain.model import schema_of
from loom.domain.schema import Kind

MESSAGE_PARTS = ("headers", "key", "timestamp")


def compile_condition(expr: Expr, spot: Spot) -> Callable[[Envelope[Any]], bool]:
    """A closure that says whether a condition over ``payload`` and ``msg`` is true; null counts as false.

    Every fault of it becomes an issue.
    """
    given: object = expr
    if not isinstance(given, Expr):
        spot.issue("LOOM-STREAM-014", f"{given!r} is no condition", "write an expression: payload.amount > 100")
        return _never
    before = len(spot.issues.found)
    spot.issues.predicate("LOOM-STREAM-014", spot.place, expr, _type_of(spot), _names(spot))
    if len(spot.issues.found) > before:
        return _never
    value = to_python(expr, _getter)
    return lambda envelope: value(envelope) is True


def compile_value(expr: Expr, spot: Spot) -> Callable[[Envelope[Any]], Any]:
    """A closure that gives the value of an expression; every unknown name in it becomes an issue."""
    type_of, before = _type_of(spot), len(spot.issues.found)
    for ref in refs(expr):
        try:
            type_of(ref)
        except LookupError:
            spot.issues.unknown("LOOM-STREAM-014", spot.place, "field", ref.ref_path[-1], _names(spot))
    return to_python(expr, _getter) if len(spot.issues.found) == before else _never


def _never(envelope: Envelope[Any]) -> bool:
    """Stands in for an expression with faults: a plan with issues never runs."""
    return False


def _names(spot: Spot) -> list[str]:
    payload = spot.arrives.payload
    fields = [field.name for field in attrs.fields(payload)] if attrs.has(payload) else []
    return [*fields, *MESSAGE_PARTS]


def _type_of(spot: Spot) -> Callable[[Ref], Kind | None]:
    payload = spot.arrives.payload

    def type_of(ref: Ref) -> Kind | None:
        if ref.ref_root is Root.PAYLOAD:
            return _field_kind(payload, ref.ref_path)
        if ref.ref_root is Root.MESSAGE:
            return _message_kind(ref.ref_path)
        raise LookupError(ref.ref_path[-1])

    return type_of


def _field_kind(model: Any, path: tuple[str, ...]) -> Kind | None:
    if not isinstance(model, type) or not attrs.has(model) or model_fault(model):
        return None
    field = schema_of(model).field(path[0])
    if field is None:
        raise LookupError(path[0])
    if len(path) == 1:
        return field.type.kind
    if field.type.kind is Kind.STRUCT:
        return _field_kind(field.type.python, path[1:])
    if field.type.kind is Kind.JSON:
        return None
    raise LookupError(path[1])


def _message_kind(path: tuple[str, ...]) -> Kind | None:
    if path == ("timestamp",):
        return Kind.DATETIME
    if path == ("key",) or (path[0] == "headers" and len(path) == 2):
        return Kind.STRING
    raise LookupError(path[0])


def _getter(ref: Ref) -> Getter:
    if ref.ref_root is Root.MESSAGE:
        if ref.ref_path[0] == "headers":
            name = ref.ref_path[1]
            return lambda envelope: envelope.headers.get(name)
        return operator.attrgetter(ref.ref_path[0])
    if len(ref.ref_path) == 1:
        return operator.attrgetter(f"payload.{ref.ref_path[0]}")
    read = attribute_getter(ref)
    return lambda envelope: read(envelope.payload)
