"""JSON schemas of classes as OpenAPI components, one for each direction that a class travels in."""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from loom.application.profiles import Profile as Loaded
from loom.domain.model import FieldSchema, ModelSchema, ProjectionSchema, schema_of
from loom.domain.schema import INT_RANGE, Kind, LogicalType, json_schema, logical_type

Schema = dict[str, Any]

# What the converter accepts as text; `pattern` says nothing about values that are no text.
_TEXT: Schema = {"pattern": "^[^\\u0000]*$"}
# A text key is a segment of the path of its row.
_SEGMENT: Schema = {"pattern": "^(?!\\.{1,2}$)[^\\u0000]+$", "minLength": 1}

# No profile has this name.
_SPARSE = "?fields"


class Direction(enum.Enum):
    """An input leaves out what has a default and may hold nothing unknown; an output holds every field."""

    INPUT = "Input"
    OUTPUT = "Output"


class Components:
    """Collects the component schemas of one document while its operations are described."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.schemas: dict[str, Schema] = {}
        self._reserved = frozenset(reserved)
        self._json_value: Schema | None = None
        self._names: dict[tuple[type, Direction], str] = {}
        self._named: dict[tuple[type, str], Schema] = {}

    def add(self, name: str, schema: Schema) -> Schema:
        """Add a schema under a name of that beginning, and return the reference to it."""
        while name in self.schemas or name in self._reserved:
            name += "_"
        self.schemas[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    def of(self, annotation: Any, direction: Direction) -> Schema:
        """The schema of an annotation; classes become components and are referred to.

        Raises:
            TypeError: the annotation, or a field below it, has no logical type.
        """
        return self.of_type(logical_type(annotation), direction)

    def of_type(self, logical: LogicalType, direction: Direction) -> Schema:
        """The schema of a logical type."""
        if logical.kind is Kind.STRUCT:
            return _or_null(self._reference(logical.python, direction), logical.nullable)
        if logical.kind is Kind.ARRAY and logical.item is not None:
            schema = {**json_schema(attrs.evolve(logical, item=None)), "items": self.of_type(logical.item, direction)}
        elif logical.kind is Kind.JSON:
            schema = self._json(logical, direction)
        else:
            schema = json_schema(logical)
        return _accepted(schema, logical) if direction is Direction.INPUT else schema

    def of_loaded(self, loaded: Loaded, name: str) -> Schema:
        """The schema of an entity with what a profile loads beside it."""
        if not loaded.names:
            return self._reference(loaded.model, Direction.OUTPUT)
        schema = schema_of(loaded.model)
        title = f"{schema.name}_{name}"
        made = self._named.get((loaded.model, name))
        if made is None:
            made = self._named[loaded.model, name] = self.add(title, {})
            given = made["$ref"].rpartition("/")[2]
            held = self._object(schema, Direction.OUTPUT, given)
            relations = {each.name: each for each in schema.relations}
            for each, child in loaded.relations.items():
                row = self.of_loaded(child, f"{name}_{each}")
                relation = relations[each]
                held["properties"][each] = (
                    {"type": "array", "items": row} if relation.many else _or_null(row, relation.shape.nullable)
                )
            projections = {each.name: each for each in schema.projections}
            held["properties"] |= {each: self._projected(projections[each]) for each in loaded.projections}
            held["required"] = list(held["properties"])
            self.schemas[given] = held
        return made

    def of_fields(self, model: type, fields: Iterable[str]) -> Schema:
        """The schema of an entity of which a client may ask for some fields alone; its key is always there."""
        schema = schema_of(model)
        made = self._named.get((model, _SPARSE))
        if made is None:
            keys = [entry.name for entry in schema.keys]
            shown = {*fields, *keys}
            made = self._named[model, _SPARSE] = self.add(f"{schema.name}_fields", {})
            given = made["$ref"].rpartition("/")[2]
            held = self._object(schema, Direction.OUTPUT, given)
            held["properties"] = {name: each for name, each in held["properties"].items() if name in shown}
            held |= {"required": keys, "additionalProperties": False}
            self.schemas[given] = held
        return made

    def _projected(self, projection: ProjectionSchema) -> Schema:
        if projection.type is not None:
            return self.of_type(projection.type, Direction.OUTPUT)
        return _or_null(self._reference(projection.target, Direction.OUTPUT), projection.shape.nullable)

    def _reference(self, cls: type, direction: Direction) -> Schema:
        name = self._names.get((cls, direction))
        if name is None:
            name = self._names[cls, direction] = self._free_name(cls, direction)
            self.schemas[name] = {}  # holds the name while the fields, which may refer back, are described
            self.schemas[name] = self._object(schema_of(cls), direction, name)
        return {"$ref": f"#/components/schemas/{name}"}

    def _json(self, logical: LogicalType, direction: Direction) -> Schema:
        value = _mapping_value(logical.python)
        if value is None and direction is Direction.OUTPUT:
            return json_schema(logical)
        held = self._plain_json() if value is None else self.of(value, direction)
        if logical.python in (Any, object):
            return held
        return {"type": _nullable("object", logical), "additionalProperties": held, "propertyNames": _TEXT}

    def _plain_json(self) -> Schema:
        """Any JSON without NUL in its texts, which no store could keep."""
        if self._json_value is None:
            self._json_value = self.add("Json", {})
            nested = {
                "type": ["string", "number", "boolean", "null", "array", "object"],
                **_TEXT,
                "items": self._json_value,
                "additionalProperties": self._json_value,
                "propertyNames": _TEXT,
            }
            self.schemas[self._json_value["$ref"].rpartition("/")[2]] = nested
        return self._json_value

    def _free_name(self, cls: type, direction: Direction) -> str:
        qualified = f"{cls.__module__}.{cls.__qualname__}".replace("<locals>.", "")
        candidates = (cls.__name__, cls.__name__ + direction.value, qualified, qualified + direction.value)
        return next(name for name in candidates if name not in self.schemas and name not in self._reserved)

    def _object(self, schema: ModelSchema, direction: Direction, name: str) -> Schema:
        # Generators of clients call their classes by the title, and leave out what has one that is taken.
        properties = {entry.name: self._property(entry, direction) for entry in schema.fields}
        described: Schema = {"type": "object", "title": name, "properties": properties}
        required = [entry.name for entry in schema.fields if _is_required(entry, direction)]
        if required:
            described["required"] = required
        if direction is Direction.INPUT:
            described["additionalProperties"] = False
        return described

    def _property(self, entry: FieldSchema, direction: Direction) -> Schema:
        schema = self.of_type(entry.type, direction)
        if direction is Direction.INPUT and entry.options.key and entry.type.kind is Kind.STRING:
            schema |= _SEGMENT
        plain = isinstance(entry.default, bool | int | float | str) and not isinstance(entry.default, enum.Enum)
        return {**schema, "default": entry.default} if plain and direction is Direction.INPUT else schema


def check_schema(annotation: Any) -> str:
    """Why an annotation cannot be described as JSON, or the empty string."""
    try:
        Components().of(annotation, Direction.OUTPUT)
    except TypeError as error:
        return str(error)
    return ""


def _is_required(entry: FieldSchema, direction: Direction) -> bool:
    return entry.required if direction is Direction.INPUT else not entry.type.patch


def _or_null(schema: Schema, nullable: bool) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]} if nullable else schema


def _nullable(name: str, logical: LogicalType) -> object:
    return [name, "null"] if logical.nullable else name


def _mapping_value(python: Any) -> Any:
    arguments = typing.get_args(python) if typing.get_origin(python) in (dict, Mapping) else ()
    return arguments[1] if len(arguments) == 2 and arguments[1] not in (Any, object) else None


def _accepted(schema: Schema, logical: LogicalType) -> Schema:
    """The schema of what the converter accepts where that is not exactly what it writes."""
    if logical.kind is Kind.STRING and "pattern" not in schema:
        return {**schema, **_TEXT}
    if logical.kind is Kind.DECIMAL:
        return {**schema, **_decimal(logical)}
    return schema


def _decimal(logical: LogicalType) -> Schema:
    whole = logical.precision - logical.scale
    largest = min(10**whole - 1, INT_RANGE[1])
    fraction = f"(\\.[0-9]{{1,{logical.scale}}})?" if logical.scale else ""
    types = ["string", "integer", "null"] if logical.nullable else ["string", "integer"]
    # `pattern` speaks of texts alone, and the bounds of numbers alone.
    return {
        "type": types,
        "pattern": f"^-?[0-9]{{1,{whole}}}{fraction}$",
        "minimum": -largest,
        "maximum": largest,
    }
