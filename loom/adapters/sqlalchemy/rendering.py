"""What Alembic does not know about our tables, added to a migration before it is written.

On SQLite most changes of a table copy it, and the copy is made from what the database says of the table: that numbers
of deleted rows are not given again is not among it. And a column that is never null can be added to a table with rows
only where the rows that are there get a value, which is the default of the model's field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations.ops import (
    AddColumnOp,
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateTableOp,
    DropConstraintOp,
    ExecuteSQLOp,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
)
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.names import quoted, scale_of
from loom.adapters.sqlalchemy.storage import SQLITE
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable
from loom.application.fit import fit_of
from loom.domain.model import FieldSchema


class KeyChanged(MigrateOperation):
    """A table has another key than its model: only a person knows what the rows become that are there."""

    def __init__(self, table: str, before: Sequence[str], after: Sequence[str]) -> None:
        self.told = f"the key of {table} is ({', '.join(before)}) and becomes ({', '.join(after)})"


class ModifyCounted(ModifyTableOps):
    """The changes of a table whose key is counted."""


def complete(script: MigrationScript, catalogue: Catalogue, dialect: Dialect) -> None:
    """Add to a migration what only the models know."""
    for container in (script.upgrade_ops, script.downgrade_ops):
        if container is not None:
            if dialect.name != SQLITE:
                container.ops = [*container.ops, *_late_references(container.ops)]
            steps = [step for each in container.ops for step in _steps(each, catalogue)]
            container.ops = [_completed(each, catalogue, dialect) for each in steps]


def _late_references(operations: Sequence[MigrateOperation]) -> list[CreateForeignKeyOp]:
    """References of new tables to tables that come later, taken out of them: tables may refer to each other."""
    tables = [each for each in operations if isinstance(each, CreateTableOp)]
    waiting = {each.table_name for each in tables}
    late: list[CreateForeignKeyOp] = []
    for each in tables:
        waiting.discard(each.table_name)
        found = [item for item in each.columns if isinstance(item, sa.ForeignKeyConstraint)]
        moved = [item for item in found if item.referred_table.name in waiting]
        late += [CreateForeignKeyOp.from_constraint(item) for item in moved]
        each.columns = [item for item in each.columns if not any(item is other for other in moved)]
    return late


def changed_keys(connection: sa.Connection, catalogue: Catalogue) -> Iterator[KeyChanged]:
    """The tables that have another key than their models, which Alembic does not look at."""
    inspector = sa.inspect(connection)
    present = set(inspector.get_table_names())
    for name, table in catalogue.tables.items():
        before = inspector.get_pk_constraint(name)["constrained_columns"] if name in present else []
        after = [field.name for field in table.schema.keys]
        if name in present and before != after:
            yield KeyChanged(name, before, after)


def _steps(operation: MigrateOperation, catalogue: Catalogue) -> list[MigrateOperation]:
    """An operation, in three steps where it changes the scale of decimals that SQLite keeps as integers: neither the
    old checks nor the new ones hold for values on their way."""
    table = catalogue.tables.get(operation.table_name) if isinstance(operation, ModifyTableOps) else None
    if table is None or not isinstance(operation, ModifyTableOps):
        return [operation]
    updates = [ExecuteSQLOp(update) for update in _rescaled(operation.ops, table, catalogue)]
    if not updates:
        return [operation]
    first = [each for each in operation.ops if isinstance(each, DropConstraintOp) and each.constraint_type == "check"]
    rest = [each for each in operation.ops if each not in first]
    name, schema = operation.table_name, operation.schema
    return [ModifyTableOps(name, first, schema=schema), *updates, ModifyTableOps(name, rest, schema=schema)]


def _rescaled(operations: Sequence[MigrateOperation], table: ModelTable, catalogue: Catalogue) -> Iterator[str]:
    dropped = {str(each.constraint_name) for each in operations if isinstance(each, DropConstraintOp)}
    made = {str(each.constraint_name) for each in operations if isinstance(each, CreateCheckConstraintOp)}
    for field in table.schema.fields:
        scales = [
            scale
            for names in (dropped, made)
            for name in names
            if (scale := scale_of(catalogue.names, table.schema.table, field.name, name)) is not None
        ]
        if len(scales) == 2:
            yield _scaling(table.schema.table, field.name, scales[1] - scales[0])


def _scaling(table: str, column: str, digits: int) -> str:
    name, factor = quoted(column), 10 ** abs(digits)
    value = f"{name} * {factor}" if digits > 0 else f"CAST(round({name} / {factor}.0) AS INTEGER)"
    return f"UPDATE {quoted(table)} SET {name} = {value}"


def _completed(operation: MigrateOperation, catalogue: Catalogue, dialect: Dialect) -> MigrateOperation:
    table = catalogue.tables.get(operation.table_name) if isinstance(operation, ModifyTableOps) else None
    if table is None or not isinstance(operation, ModifyTableOps):
        return operation
    _fill(operation.ops, table, dialect)
    if any(field.options.autoincrement for field in table.schema.fields):
        return ModifyCounted(operation.table_name, operation.ops, schema=operation.schema)
    return operation


def _fill(operations: Sequence[MigrateOperation], table: ModelTable, dialect: Dialect) -> None:
    for operation in operations:
        if isinstance(operation, AddColumnOp) and not operation.column.nullable:
            field = table.schema.field(operation.column.name)
            if field is not None:
                # Only in this migration: the column of the models, which a later one is compared with, has none.
                operation.column = operation.column._copy()
                operation.column.server_default = _default(field, table, dialect)


def _default(field: FieldSchema, table: ModelTable, dialect: Dialect) -> sa.DefaultClause | None:
    fit, value = fit_of(field.type), field.default
    if fit is None:
        return _nothing_in(field, table)
    if value is None:
        return None
    storage = table.storages[field.name]
    value = fit(value)
    if storage.conversion.store is not None:
        value = storage.conversion.store(value)
    if isinstance(value, bytes):
        return sa.DefaultClause(sa.text(f"X'{value.hex()}'")) if dialect.name == SQLITE else _text(f"\\x{value.hex()}")
    if isinstance(value, str):
        return _text(value)
    literal = sa.literal(value, storage.bind).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    text = str(literal)
    return _text(text[1:-1]) if text.startswith("'") else sa.DefaultClause(sa.text(text))


def _text(value: str) -> sa.DefaultClause:
    # Not as SQL, in which a colon begins a parameter. Alembic takes one pair of quotes away.
    return sa.DefaultClause(f"'{value}'")


def _nothing_in(field: FieldSchema, table: ModelTable) -> sa.DefaultClause | None:
    """An empty list or dictionary, where that is the default of a field that is kept as JSON."""
    default: Any = attrs.fields_dict(table.schema.model)[field.name].default
    made = default.factory() if isinstance(default, attrs.Factory) and not default.takes_self else default  # type: ignore[arg-type]
    if not isinstance(made, Collection) or len(made) > 0:
        return None
    return _text("{}" if isinstance(made, Mapping) else "[]")


@renderers.dispatch_for(KeyChanged)
def _refuse(context: AutogenContext, operation: KeyChanged) -> list[str]:
    return [f"raise NotImplementedError({operation.told!r})"]


@renderers.dispatch_for(ModifyCounted)
def _render(context: AutogenContext, operation: ModifyCounted) -> list[str]:
    if not context.opts.get("render_as_batch"):
        return [line for each in operation.ops for line in render_op(context, each)]
    head = "with op.batch_alter_table(%r, schema=%r, table_kwargs={'sqlite_autoincrement': True}) as batch_op:"
    with context._within_batch():
        body = [line for each in operation.ops for line in render_op(context, each)]
    return [head % (operation.table_name, operation.schema), *body, ""] if body else []
