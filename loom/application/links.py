"""Link tables that have no entity of their own get one here; and which entities relations lead to."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from loom.domain.model import FieldOptions, ModelSchema, RelationSchema, entity, is_entity, schema_of
from loom.domain.relations import Link


def reached(models: Iterable[type]) -> Iterable[type]:
    """The models and every entity that their relations lead to, each once."""
    found = dict.fromkeys(models)
    waiting = list(found)
    while waiting:
        for relation in _relations(waiting.pop()):
            for each in _led_to(relation):
                if each not in found:
                    found[each] = None
                    waiting.append(each)
    return found


def link_entities(models: Sequence[type]) -> Iterator[type]:
    """The entities of link tables that have none of their own."""
    for model in models:
        for relation in _relations(model):
            if isinstance(relation.options.through, Link):
                found = made_link(model, relation)
                if found is not None:
                    yield found


def link_entity(model: type, relation: str) -> type:
    """The entity of the link table of a relation that was declared with ``Link``, for reading and writing its rows.

    Raises:
        LookupError: the model has no such relation, or one without a ``Link``.
    """
    declared = next((each for each in _relations(model) if each.name == relation), None)
    found = made_link(model, declared) if declared and isinstance(declared.options.through, Link) else None
    if found is None:
        raise LookupError(f"{model.__name__} has no relation {relation!r} through a Link")
    return found


def _relations(model: type) -> tuple[RelationSchema, ...]:
    try:
        return schema_of(model).relations if is_entity(model) else ()
    except (TypeError, NameError):
        return ()  # told where the model itself is compiled


def _led_to(relation: RelationSchema) -> Iterator[type]:
    through = relation.options.through
    if isinstance(through, type) and is_entity(through):
        yield through
    try:
        target = relation.target
    except LookupError:
        return  # told where the relation is compiled
    if is_entity(target):
        yield target


def made_link(model: type, relation: RelationSchema) -> type | None:
    """The entity of the ``Link`` of a relation; ``None`` where its ends have no keys of one field."""
    link = relation.options.through
    try:
        source, target = schema_of(model), schema_of(relation.target)
    except (TypeError, NameError, LookupError):
        return None
    if not isinstance(link, Link) or len(source.keys) != 1 or len(target.keys) != 1:
        return None
    ends = sorted([(link.source, source), (link.target, target)], key=lambda end: end[0])
    return _link_class(link.table, *(_end(column, schema) for column, schema in ends))


_End = tuple[str, Any, FieldOptions]


def _end(column: str, schema: ModelSchema) -> _End:
    key = schema.keys[0]
    options = FieldOptions(
        key=True,
        max_length=key.options.max_length,
        references=f"{schema.table}.{key.name}",
        on_delete="cascade",
    )
    return column, key.type.python, options


@functools.cache
def _link_class(table: str, first: _End, second: _End) -> type:
    """Both sides of a relation may declare the link: they mean the same class."""
    ends = (first, second)
    made = attrs.make_class(
        "".join(part.capitalize() for part in table.split("_")),
        {column: attrs.field(type=python) for column, python, _ in ends},
        kw_only=True,
    )
    return entity(table=table, fields={column: options for column, _, options in ends})(made)
