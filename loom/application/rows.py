"""Rows: a model as functions from values to what a store keeps, and back to the entity. See ``row_compiler``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from loom.application.compile import meant
from loom.application.fit import Fit
from loom.domain.absent import ABSENT
from loom.domain.constraints import TIMESTAMPS
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.model import ModelSchema

M = TypeVar("M")
Load: TypeAlias = Callable[[Any], Any]


@attrs.frozen(eq=False, repr=False)
class Conversion:
    """How one store keeps one field: from the plain value (see ``fit``) to the driver's, and back; never for null."""

    store: Fit | None = None
    load: Load | None = None


@attrs.frozen(eq=False, repr=False)
class Slot:
    """How one field of a new row is made: from a value, or where none is given."""

    name: str
    take: Fit
    missing: Callable[[], Any]
    auto: bool


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RowPlan(Generic[M]):
    """One model's rows in one store. A row is a sequence in the order of ``schema.names``.

    Attributes:
        schema: the model.
        build: makes the entity of a stored row.
        loads: how each stored value becomes that of the entity; ``None`` where it is the same.
        fits: the plain form of a value of each field; raises ``ValueError`` where it does not fit.
        key_positions: where the key fields stand in a row.
        auto: the key that the store counts up, or ``None``.
    """

    schema: ModelSchema
    build: Callable[[Sequence[Any]], M]
    loads: Mapping[str, Load | None]
    fits: Mapping[str, Fit]
    key_positions: tuple[int, ...]
    auto: str | None
    _slots: tuple[Slot, ...]
    _takes: Mapping[str, Fit]
    _kept: frozenset[str]
    _present: dict[type, tuple[str, ...]] = attrs.field(factory=dict, init=False)

    def insert(self, values: object, *, now: dt.datetime) -> list[Any]:
        """The row to store for new values; the counted key is null where none is given.

        Raises:
            InvalidInput: values that do not fit, or that are missing; all of them.
        """
        given = self._given(values)
        try:
            row = [
                slot.missing() if (value := given.get(slot.name, ABSENT)) is ABSENT else slot.take(value)
                for slot in self._slots
            ]
        except ValueError:
            raise self._faults(given) from None
        return self._stamped(row, now) if self.schema.timestamps else row

    def insert_all(self, values: Sequence[object], *, now: dt.datetime) -> list[list[Any]]:
        """The rows to store for many new values.

        Raises:
            InvalidInput: values that do not fit, of all rows; each path begins with the position of its row.
        """
        rows: list[list[Any]] = []
        errors: list[FieldError] = []
        for position, each in enumerate(values):
            try:
                rows.append(self.insert(each, now=now))
            except InvalidInput as error:
                errors += [attrs.evolve(fault, path=(position, *fault.path)) for fault in error.errors]
        if errors:
            raise InvalidInput(errors, subject=self.schema.name)
        return rows

    def changes(self, key: Any, values: object, *, now: dt.datetime) -> dict[str, Any]:
        """What to store for changed fields, by name, without the key fields and those that the store keeps.

        Raises:
            InvalidInput: values that do not fit, or another key than that of the row; all of them.
        """
        given = self._given(values)
        identity = dict(zip((field.name for field in self.schema.keys), self.key(key), strict=True))
        changed: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, value in given.items():
            take = self._takes.get(name)
            if take is None or value is ABSENT or name in self._kept:
                continue
            try:
                stored = take(value)
                if name not in identity:
                    changed[name] = stored
                elif stored != identity[name]:
                    raise ValueError("is part of the key, which does not change")
            except ValueError as error:
                errors += _field_errors(name, error)
        if errors:
            raise InvalidInput(errors, subject=self.schema.name)
        if self.schema.timestamps:
            changed[TIMESTAMPS[1]] = self._takes[TIMESTAMPS[1]](now)
        return changed

    def deletion(self, *, now: dt.datetime) -> Any:
        """The stored mark of a row that is deleted now, where the model has soft deletion."""
        return self._takes[self.schema.deleted_at](now)

    def expected(self, version: int | None) -> int | None:
        """The version that a writer expects.

        Raises:
            InvalidInput: one is expected of a model that keeps none.
        """
        if version is not None and not self.schema.version:
            message = f"{self.schema.name} keeps no version; declare entity(..., version=True)"
            raise InvalidInput([FieldError(path=("expected_version",), message=message)], subject=self.schema.name)
        return version

    def key(self, key: Any) -> tuple[Any, ...]:
        """The stored form of a key: a value, or a tuple for a composite key.

        Raises:
            InvalidInput: not a key of this model.
        """
        fields = self.schema.keys
        parts = key if len(fields) > 1 else (key,)
        if not isinstance(parts, tuple | list) or len(parts) != len(fields):
            names = ", ".join(field.name for field in fields)
            raise InvalidInput([FieldError(path=(), message=f"must be a tuple of ({names})")], subject="key")
        stored: list[Any] = []
        errors: list[FieldError] = []
        for field, part in zip(fields, parts, strict=True):
            try:
                stored.append(self._takes[field.name](part))
            except ValueError as error:
                errors += _field_errors(field.name, error)
        if errors:
            raise InvalidInput(errors, subject="key")
        return tuple(stored)

    def key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The key inside a stored row."""
        return tuple(row[position] for position in self.key_positions)

    def _given(self, values: object) -> Mapping[str, Any]:
        if isinstance(values, Mapping):
            if not values.keys() <= self._takes.keys():
                raise self._unknown(values)
            return values
        names = self._present.get(type(values))
        if names is None:
            names = self._present[type(values)] = self._names_in(type(values))
        return {name: getattr(values, name) for name in names}

    def _unknown(self, values: Mapping[str, Any]) -> InvalidInput:
        names = self.schema.names
        errors = [
            FieldError(path=(name,), message=meant("is no stored field", name, names), code="unknown")
            for name in values
            if name not in self._takes
        ]
        return InvalidInput(errors, subject=self.schema.name)

    def _names_in(self, source: type) -> tuple[str, ...]:
        if not attrs.has(source):
            message = f"must be a mapping or an attrs object, not {source.__name__}"
            raise InvalidInput([FieldError(path=(), message=message)], subject=self.schema.name)
        return tuple(name for attribute in attrs.fields(source) if (name := attribute.name) in self._takes)

    def _stamped(self, row: list[Any], now: dt.datetime) -> list[Any]:
        for name in TIMESTAMPS:
            position = self.schema.names.index(name)
            if row[position] is None:
                row[position] = self._takes[name](now)
        return row

    def _faults(self, given: Mapping[str, Any]) -> InvalidInput:
        errors: list[FieldError] = []
        for slot in self._slots:
            value = given.get(slot.name, ABSENT)
            try:
                _ = slot.missing() if value is ABSENT else slot.take(value)
            except ValueError as error:
                errors += _field_errors(slot.name, error)
        return InvalidInput(errors, subject=self.schema.name)


def _field_errors(name: str, error: ValueError) -> list[FieldError]:
    if isinstance(error, InvalidInput):
        return [attrs.evolve(each, path=(name, *each.path)) for each in error.errors]
    return [FieldError(path=(name,), message=str(error))]
