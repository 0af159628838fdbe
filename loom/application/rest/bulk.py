"""Bulk operations: many rows in one transaction, all of them or none.

Items are told apart by their positions in the body: the price of the fourth is ``/3/price``.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from loom.application.model_constraints import declared_indexes
from loom.application.rest.commands import key_command, keyed_patch_command
from loom.application.rest.problems import ItemConflicts, ItemsNotFound
from loom.application.usecase.declaration import UseCase
from loom.domain.absent import ABSENT
from loom.domain.errors import Conflict, FieldError, InvalidInput
from loom.domain.expr import col
from loom.domain.frozen import frozen
from loom.domain.model import ModelSchema
from loom.domain.query import Query
from loom.ports.persistence import Repository

Make = Callable[..., type[UseCase[Any, Any]]]
"""Makes the class of a use case from an operation, a schema, ``execute``, its parameters and its result."""

_AT_ONCE = 500
_TAKEN = "conflicts with what is stored"


@frozen(kw_only=True)
class BulkCrud:
    """The generated use cases over many rows; each takes a list of commands."""

    create: type[UseCase[Any, Any]]
    update: type[UseCase[Any, Any]]
    delete: type[UseCase[Any, Any]]


def bulk_crud(schema: ModelSchema, create: type, patch: type, make: Make) -> BulkCrud:
    """Generate the bulk use cases of a model whose rows are created and patched by these commands."""
    return BulkCrud(
        create=_create(schema, create, make),
        update=_update(schema, keyed_patch_command(schema, patch), make),
        delete=_delete(schema, key_command(schema), make),
    )


def _create(schema: ModelSchema, command: Any, make: Make) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], cmd: Sequence[Any]) -> Any:
        await _check_unique(self.main_repo, schema, cmd)
        return list(await self.main_repo.create_all(cmd))

    return make("create_many", schema, execute, {"cmd": list[command]}, list[schema.model])  # type: ignore[name-defined]


def _update(schema: ModelSchema, command: Any, make: Make) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], cmd: Sequence[Any]) -> Any:
        rows = []
        for position, key in enumerate(_keys(schema, cmd)):
            async with _at(position):
                rows.append(await self.main_repo.update(key, cmd[position]))
        _require_all(schema, rows)
        return rows

    return make("update_many", schema, execute, {"cmd": list[command]}, list[schema.model])  # type: ignore[name-defined]


def _delete(schema: ModelSchema, command: Any, make: Make) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], cmd: Sequence[Any]) -> None:
        found = []
        for position, key in enumerate(_keys(schema, cmd)):
            async with _at(position):
                found.append(await self.main_repo.delete(key) or None)
        _require_all(schema, found)

    return make("delete_many", schema, execute, {"cmd": list[command]}, type(None))


@asynccontextmanager
async def _at(position: int) -> AsyncIterator[None]:
    """Let what an item is refused for speak of its position. The unit of work is lost with the first conflict."""
    try:
        yield
    except Conflict as error:
        paths: list[tuple[int | str, ...]] = [(position, name) for name in error.fields] or [(position,)]
        raise ItemConflicts([_conflict(path) for path in paths]) from error
    except InvalidInput as error:
        raise InvalidInput([attrs.evolve(each, path=(position, *each.path)) for each in error.errors]) from error


def _keys(schema: ModelSchema, items: Iterable[Any]) -> Sequence[Any]:
    names = [entry.name for entry in schema.keys]
    keys = [tuple(getattr(item, name) for name in names) for item in items]
    first: dict[Any, int] = {}
    errors = [
        _conflict((position, names[0]), f"is the key of item {seen} already")
        for position, key in enumerate(keys)
        if (seen := first.setdefault(key, position)) != position
    ]
    if errors:
        raise ItemConflicts(errors)
    return keys if len(names) > 1 else [key for (key,) in keys]


def _require_all(schema: ModelSchema, rows: Sequence[Any]) -> None:
    missing = [position for position, row in enumerate(rows) if row is None]
    if missing:
        raise ItemsNotFound(schema.name, missing)


async def _check_unique(repository: Repository[Any], schema: ModelSchema, items: Sequence[Any]) -> None:
    """Name every item whose unique values are taken, in the list or in the store. What it overlooks the store
    refuses."""
    errors: list[FieldError] = []
    for group in _unique(schema):
        # What is not said a scope or a parent settles, for all items alike.
        names = [name for name in group if all(getattr(item, name, ABSENT) is not ABSENT for item in items)]
        wanted: dict[tuple[Any, ...], int] = {}
        for position, item in enumerate(items if names else ()):
            values = tuple(getattr(item, name) for name in names)
            if None in values:
                continue
            if (first := wanted.setdefault(values, position)) != position:
                told = "is the value" if len(group) == 1 else "are the values"
                errors += [_conflict((position, name), f"{told} of item {first} already") for name in names]
        for values in await _stored(repository, names, list(wanted)):
            errors += [_conflict((wanted[values], name)) for name in names if values in wanted]
    if errors:
        raise ItemConflicts(sorted(errors, key=lambda error: int(error.path[0])))


def _unique(schema: ModelSchema) -> Iterable[tuple[str, ...]]:
    """The columns whose values no two rows share, alone or together, as far as the values are known beforehand."""
    groups = [tuple(entry.name for entry in schema.keys)]
    groups += [each.columns for each in declared_indexes(schema) if each.unique and each.where is None]
    given_by_store = {*schema.kept, *(entry.name for entry in schema.keys if entry.options.autoincrement)}
    return [group for group in groups if given_by_store.isdisjoint(group)]


async def _stored(
    repository: Repository[Any], names: Sequence[str], wanted: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The values of rows among which those that are wanted are."""
    found = []
    for start in range(0, len(wanted), _AT_ONCE):
        columns = zip(names, zip(*wanted[start : start + _AT_ONCE], strict=True), strict=True)
        taken = [col(name).is_in(list(dict.fromkeys(values))) for name, values in columns]
        rows = repository.stream(Query(where=functools.reduce(operator.and_, taken), limit=None))
        found += [tuple(getattr(row, name) for name in names) async for row in rows]
    return found


def _conflict(path: tuple[int | str, ...], message: str = _TAKEN) -> FieldError:
    return FieldError(path=path, message=message, code="conflict")
