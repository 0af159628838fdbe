"""Constructors of entities, written out once as source: what a row costs is one call, whatever it loads beside it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from loom.domain.model import ModelSchema
from loom.domain.relations import NOT_LOADED

Load: TypeAlias = Callable[[Any], Any]
Build: TypeAlias = Callable[[Sequence[Any], Sequence[Mapping[Any, Any]]], Any]
"""Makes an entity of a row, and of what was found for its relations: for each a mapping by the value that joins."""


@attrs.frozen(eq=False, kw_only=True)
class Part:
    """One entity inside a row that may hold several.

    Attributes:
        schema: the model.
        loads: how each stored value becomes that of the entity.
        at: where its stored columns begin.
        key_at: where a column stands that is null only if there is no such row.
        loaded: the expressions of what is loaded beside them, by name; see ``Source``.
    """

    schema: ModelSchema
    loads: Mapping[str, Load | None]
    at: int = 0
    key_at: int = 0
    loaded: Mapping[str, str] = attrs.field(factory=dict)


@attrs.define
class Source:
    """Collects functions and the objects that they use, and compiles them together."""

    title: str
    lines: list[str] = attrs.field(factory=list)
    names: dict[str, Any] = attrs.field(factory=lambda: {"put": object.__setattr__, "NOT_LOADED": NOT_LOADED})

    def bind(self, prefix: str, value: object) -> str:
        """A name for an object that the source uses."""
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, position: int, load: Load | None) -> str:
        """The expression of one value of a row."""
        text = f"row[{position}]"
        return text if load is None else f"(None if {text} is None else {self.bind('load', load)}({text}))"

    def entity(self, name: str, part: Part) -> None:
        """Define the function ``name(row, groups)`` that makes one entity."""
        attributes = {attribute.name: attribute for attribute in attrs.fields(part.schema.model)}
        values = {each: self.value(part.at + index, part.loads[each]) for index, each in enumerate(part.schema.names)}
        loadable = [each.name for each in part.schema.relations] + [each.name for each in part.schema.projections]
        values |= {each: part.loaded[each] for each in loadable if each in part.loaded}
        given = [f"{attributes[each].alias}={text}" for each, text in values.items() if attributes[each].init]
        later = {each: text for each, text in values.items() if not attributes[each].init}
        for each in loadable:
            # A class that knows nothing of loom has another default, which would look like an answer.
            if each not in values and attributes[each].default is not NOT_LOADED:
                later[each] = "NOT_LOADED"
        self.lines += [f"def {name}(row, groups=()):", f"    entity = {self.bind('model', part.schema.model)}("]
        self.lines += [f"        {text}," for text in given]
        self.lines += ["    )", *(f"    put(entity, {each!r}, {text})" for each, text in later.items())]
        self.lines += ["    return entity", ""]

    def compiled(self, name: str) -> Build:
        """The function of that name."""
        exec(compile("\n".join(self.lines), f"<{self.title}>", "exec"), self.names)
        return typing.cast("Build", self.names[name])


def row_builder(schema: ModelSchema, loads: Mapping[str, Load | None]) -> Callable[[Sequence[Any]], Any]:
    """The constructor of rows with which nothing else is loaded."""
    source = Source(f"rows of {schema.name}")
    source.entity("build", Part(schema=schema, loads=loads))
    return typing.cast("Callable[[Sequence[Any]], Any]", source.compiled("build"))
