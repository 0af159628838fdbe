"""Rows that a test gives to a store: those that others refer to go first, in whatever order they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loom.domain.model import entity_of, schema_of


def referred_first(rows: Sequence[object]) -> list[object]:
    """The rows, those of models that others refer to before these others; rows of one model stay in their order."""
    models = list(dict.fromkeys(type(row) for row in rows))
    placed: dict[type, None] = {}
    for model in models:
        _place(model, models, placed, ())
    return [row for model in placed for row in rows if type(row) is model]


def _place(model: type, models: Sequence[type], placed: dict[type, None], above: tuple[type, ...]) -> None:
    for other in _referred(model):
        if other in models and other not in placed and other not in (model, *above):
            _place(other, models, placed, (model, *above))
    placed.setdefault(model)


def _referred(model: type) -> Iterator[type]:
    schema = schema_of(model)
    for field in schema.fields:
        found = entity_of((field.options.references or "").rpartition(".")[0])
        if found is not None:
            yield found
    for relation in schema.relations:
        if not relation.many and relation.options.through is None:
            yield relation.target
