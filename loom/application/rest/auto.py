"""Auto-CRUD: ordinary use cases for a model.

``auto_crud(Product).create`` is a class like any other: call it, subclass it, print its signature, or put another
in its place.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from loom.application.rest.bulk import BulkCrud, bulk_crud
from loom.application.rest.commands import create_command, patch_command
from loom.application.rest.profiles import PARAMETER, Profile
from loom.application.rest.sparse import PARAMETER as FIELDS
from loom.application.rest.sparse import Fields, pick_page, pick_row
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.markers import ExpectedVersion, Input
from loom.application.usecase.plan import GENERATED
from loom.domain.errors import NotFound
from loom.domain.model import ModelSchema, schema_of
from loom.domain.query import Page, Query

_ALL = Fields(())
_FIELDS: Mapping[str, Any] = MappingProxyType({FIELDS: _ALL})
Execute = Callable[..., Coroutine[Any, Any, Any]]
_VERSION: Mapping[str, Any] = MappingProxyType({"expected_version": ExpectedVersion()})


@attrs.frozen(kw_only=True, eq=False)
class AutoCrud:
    """The generated use cases of one model. ``create`` and ``update`` take generated commands."""

    list: type[UseCase[Any, Any]]
    get: type[UseCase[Any, Any]]
    create: type[UseCase[Any, Any]]
    update: type[UseCase[Any, Any]]
    delete: type[UseCase[Any, Any]]
    export: type[UseCase[Any, Any]]
    create_command: type
    patch_command: type
    schema: ModelSchema

    @functools.cached_property
    def bulk(self) -> BulkCrud:
        """Those over many rows, generated when first asked for: few interfaces have them."""
        return bulk_crud(self.schema, self.create_command, self.patch_command, _use_case)


@functools.cache
def auto_crud(model: type) -> AutoCrud:
    """The generated use cases of an entity; always the same classes for the same entity.

    Raises:
        TypeError: a field of the model has no logical type.
        ValueError: the model has no key.
    """
    schema = schema_of(model)
    if not schema.keys:
        raise ValueError(f"{schema.name} has no key; declare one with key()")
    return make_crud(schema)


def make_crud(
    schema: ModelSchema,
    optional: Collection[str] = (),
    without: Collection[str] = (),
    profile: str = "",
    *,
    sparse: bool = False,
) -> AutoCrud:
    """Generate use cases anew.

    Args:
        schema: the model.
        optional: fields without which a row may be created: something else fills them in.
        without: fields that commands do not have.
        profile: what ``get`` loads where nothing is asked for.
        sparse: let ``list`` and ``get`` take the columns to read.
    """
    create, patch = create_command(schema, optional, without), patch_command(schema, without)
    return AutoCrud(
        list=_list(schema, profile, sparse=sparse),
        get=_get(schema, profile, sparse=sparse),
        create=_create(schema, create),
        update=_update(schema, patch),
        delete=_delete(schema),
        export=_export(schema),
        schema=schema,
        create_command=create,
        patch_command=patch,
    )


def _list(schema: ModelSchema, default: str, *, sparse: bool) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], query: Query, fields: Fields = _ALL) -> Any:
        if fields:
            return await pick_page(self.main_repo, query, fields, default)
        return await self.main_repo.list(query)

    parameters = {"query": Query} | _fields_type(sparse)
    return _use_case(
        "list", schema, execute, parameters, Page[schema.model], read_only=True, defaults=_FIELDS  # type: ignore[name-defined]
    )  # fmt: skip


def _get(schema: ModelSchema, default: str, *, sparse: bool) -> type[UseCase[Any, Any]]:
    key_of = _key_reader(schema)

    async def execute(self: UseCase[Any, Any], **key: Any) -> Any:
        profile = key.pop(PARAMETER, default)
        fields = key.pop(FIELDS, ())
        if fields:
            row = await pick_row(self.main_repo, key_of(key), fields, (profile, default))
            return _found(row, schema, key_of(key))
        return _found(await self.main_repo.get(key_of(key), profile=profile), schema, key_of(key))

    profile = {PARAMETER: Profile} if schema.profiles else {}
    parameters = {**_key_types(schema), **profile, **_fields_type(sparse)}
    defaults = {PARAMETER: default, **_FIELDS}
    return _use_case("get", schema, execute, parameters, schema.model, read_only=True, defaults=defaults)


def _create(schema: ModelSchema, command: type) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], cmd: Any) -> Any:
        return await self.main_repo.create(cmd)

    return _use_case("create", schema, execute, {"cmd": command}, schema.model)


def _update(schema: ModelSchema, command: type) -> type[UseCase[Any, Any]]:
    key_of = _key_reader(schema)

    async def execute(self: UseCase[Any, Any], cmd: Any, *, expected_version: int | None = None, **key: Any) -> Any:
        row = await self.main_repo.update(key_of(key), cmd, expected_version=expected_version)
        return _found(row, schema, key_of(key))

    parameters = {"cmd": command, **_key_types(schema), **_version_type(schema)}
    return _use_case("update", schema, execute, parameters, schema.model, defaults=_VERSION)


def _delete(schema: ModelSchema) -> type[UseCase[Any, Any]]:
    key_of = _key_reader(schema)

    async def execute(self: UseCase[Any, Any], *, expected_version: int | None = None, **key: Any) -> None:
        was_there = await self.main_repo.delete(key_of(key), expected_version=expected_version)
        _found(was_there or None, schema, key_of(key))

    parameters = _key_types(schema) | _version_type(schema)
    return _use_case("delete", schema, execute, parameters, type(None), defaults=_VERSION)


def _export(schema: ModelSchema) -> type[UseCase[Any, Any]]:
    async def execute(self: UseCase[Any, Any], query: Query) -> Any:
        return self.main_repo.stream(query)

    return _use_case("export", schema, execute, {"query": Query}, AsyncIterator[schema.model], read_only=True)  # type: ignore[name-defined]


def _use_case(
    operation: str,
    schema: ModelSchema,
    execute: Execute,
    parameters: Mapping[str, Any],
    result: Any,
    *,
    read_only: bool = False,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> type[UseCase[Any, Any]]:
    # The parameters are named after the model's own keys, so the signature is data and not text of this file.
    execute.__annotations__ = {**parameters, "return": result}
    execute.__signature__ = _signature(parameters, defaults)  # type: ignore[attr-defined]
    namespace = {
        "__module__": schema.model.__module__,
        "__qualname__": f"auto_crud({schema.name}).{operation}",
        "__doc__": f"{operation.replace('_', ' ').capitalize()} {schema.name}.",
        "read_only": read_only,
        GENERATED: operation,
        "execute": execute,
    }
    base = UseCase[schema.model, result]  # type: ignore[name-defined]
    name = operation.title().replace("_", "") + schema.name
    return types.new_class(name, (base,), {}, lambda body: body.update(namespace))


def _signature(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> inspect.Signature:
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    named = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=Input() if name == "cmd" else defaults.get(name, inspect.Parameter.empty),
        )
        for name, annotation in parameters.items()
    ]
    return inspect.Signature([own, *named])


def _fields_type(sparse: bool) -> dict[str, Any]:
    return {FIELDS: Fields} if sparse else {}


def _version_type(schema: ModelSchema) -> dict[str, Any]:
    return {"expected_version": int | None} if schema.version else {}


def _key_types(schema: ModelSchema) -> dict[str, Any]:
    return {entry.name: entry.type.python for entry in schema.keys}


def _key_reader(schema: ModelSchema) -> Callable[[Mapping[str, Any]], Any]:
    names = tuple(entry.name for entry in schema.keys)
    if len(names) == 1:
        return lambda given: given[names[0]]
    return lambda given: tuple(given[name] for name in names)


def _found(row: Any, schema: ModelSchema, key: object) -> Any:
    if row is None:
        raise NotFound(schema.name, key)
    return row
