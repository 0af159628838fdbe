"""``IntoTable``: records become rows of an entity's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from loom.application.streaming.failure import Policy
from loom.application.streaming.flow import Node
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import SinkPlan
from loom.application.streaming.running.items import Item, Moved
from loom.application.streaming.running.operators import SINKS, Opening
from loom.application.streaming.running.writing import Writing
from loom.application.streaming.shapes import ANY_SHAPE, NOTHING, model_fault, type_name
from loom.domain.errors import Conflict, EngineFailure
from loom.domain.frozen import frozen
from loom.domain.model import ModelSchema, is_entity, schema_of
from loom.ports.persistence import Persistence


@frozen
class IntoTable(Node):
    """Insert each record as a row. Ends the path.

    Fields of the payload that the entity does not have are left out. A record whose key is there already with the
    same values counts as written: it was delivered twice. One whose key is there with other values has failed.

    Args:
        entity: class of the rows.
        on_error: what to do with a record that cannot be written.
    """

    entity: type
    on_error: Policy | None = attrs.field(default=None, kw_only=True)


@frozen(kw_only=True)
class TablePlan(SinkPlan):
    """An entity, its key fields where the payload has them all, and the fields that are written."""

    entity: type[Any]
    key: tuple[str, ...]
    fields: tuple[str, ...]


def _title(node: IntoTable) -> str:
    return f"IntoTable({type_name(node.entity)})"


def _plan(node: IntoTable, spot: Spot) -> Planned:
    fault = model_fault(node.entity) if is_entity(node.entity) else f"{type_name(node.entity)} is not an entity"
    if fault:
        spot.issue("LOOM-STREAM-019", f"IntoTable cannot write: {fault}", "give it a class that has @entity(table=...)")
        return Planned(None, NOTHING)
    spot.claim_table(node.entity)
    schema = schema_of(node.entity)
    fields = _written(schema, spot)
    keys = tuple(field.name for field in schema.keys)
    stage = TablePlan(
        id=spot.id,
        title=spot.title,
        target=schema.table,
        failure=spot.failure(node.on_error),
        models=(node.entity,),
        entity=node.entity,
        key=keys if set(keys) <= set(fields) else (),
        fields=fields,
    )
    return Planned(stage, NOTHING)


def _written(schema: ModelSchema, spot: Spot) -> tuple[str, ...]:
    payload = spot.arrives.payload
    if not isinstance(payload, type) or not attrs.has(payload):
        return ()
    given = {field.name for field in attrs.fields(payload)}
    missing = [
        field.name
        for field in schema.fields
        if field.required and not field.options.autoincrement and field.name not in given
    ]
    if missing:
        spot.issue(
            "LOOM-STREAM-020",
            f"{payload.__name__} has no {', '.join(missing)}, which {schema.name} needs",
            f"add it to {payload.__name__}, or put a step in front that makes {schema.name} of it",
        )
    return tuple(field.name for field in schema.fields if field.name in given)


class TableSink:
    """Writes rows, each call in a transaction of its own."""

    def __init__(self, plan: TablePlan, opening: Opening) -> None:
        if opening.persistence is None:
            raise EngineFailure(f"{plan.title} needs a store, and none is bound", remedy="configure persistence")
        self._plan = plan
        self._persistence: Persistence = opening.persistence
        self._writing = Writing(plan, opening, self._put)

    async def write(self, moved: list[Moved]) -> None:
        await self._writing.write(moved)

    async def _put(self, items: list[Item]) -> Mapping[int, Exception]:
        rows = [item.envelope.payload for item in items]
        try:
            async with self._persistence.begin() as unit:
                await unit.repository(self._plan.entity).create_many(rows)
                await unit.commit()
        except Conflict:
            if len(rows) > 1 or not await self._is_there(rows[0]):
                raise
        return {}

    async def _is_there(self, row: Any) -> bool:
        """Whether the table holds this very row: after a crash between write and commit, it comes again."""
        if not self._plan.key:
            return False
        values = tuple(getattr(row, name) for name in self._plan.key)
        async with self._persistence.begin(read_only=True) as unit:
            found = await unit.repository(self._plan.entity).get(values[0] if len(values) == 1 else values)
        return found is not None and all(getattr(found, name) == getattr(row, name) for name in self._plan.fields)


NODES.register(IntoTable, NodeKind(takes=ANY_SHAPE, title=_title, plan=_plan))
SINKS.register(TablePlan, TableSink)
