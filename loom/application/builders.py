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


_NAMES: Mapping[str, Any] = {"new": object.__new__, "put": object.__setattr__, "NOT_LOADED": NOT_LOADED}


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Part:
    """One entity inside a row that may hold several.

    Attributes:
        schema: the model.
        loads: how each stored value becomes that of the entity.
        at: where its stored columns begin.
        key_at: where a column stands that is null only if there is no such row.
        loaded: the expressions of what is loaded beside them, by name; see ``Source``.
        alone: whether the row holds the stored columns of this entity, and nothing else.
    """

    schema: ModelSchema
    loads: Mapping[str, Load | None]
    at: int = 0
    key_at: int = 0
    loaded: Mapping[str, str] = attrs.field(factory=dict)
    alone: bool = False

    def given(self) -> dict[str, str]:
        """The expression of each stored value before it is loaded."""
        names = self.schema.names
        return {name: f"v{at}" if self.alone else f"row[{self.at + at}]" for at, name in enumerate(names)}


@attrs.define(eq=False, repr=False)
class Source:
    """Collects functions and the objects that they use, and compiles them together."""

    title: str
    lines: list[str] = attrs.field(factory=list)
    names: dict[str, Any] = attrs.field(factory=lambda: {**_NAMES})

    def bind(self, prefix: str, value: object) -> str:
        """A name for an object that the source uses."""
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, text: str, load: Load | None) -> str:
        """The expression of one value, which is a stored one behind a load."""
        if load is None:
            return text
        name = self.bind("load", load)
        # A name costs less than another look into the row.
        return f"(None if {text} is None else {name}({text}))" if text.isidentifier() else _once(text, name)

    def entity(self, name: str, part: Part) -> None:
        """Define the function ``name(row, groups)`` that makes one entity."""
        attributes = {attribute.name: attribute for attribute in attrs.fields(part.schema.model)}
        values = {each: self.value(text, part.loads[each]) for each, text in part.given().items()}
        loadable = [each.name for each in part.schema.relations] + [each.name for each in part.schema.projections]
        values |= {each: part.loaded[each] for each in loadable if each in part.loaded}
        for each in loadable:
            # A class that knows nothing of loom has another default, which would look like an answer.
            if each not in values and attributes[each].default is not NOT_LOADED:
                values[each] = "NOT_LOADED"
        self.lines.append(f"def {name}(row, groups=()):")
        if part.alone:
            self.lines.append(f"    {''.join(f'v{at}, ' for at in range(len(part.schema.names)))}= row")
        model = self.bind("model", part.schema.model)
        rest = {each: "NOT_LOADED" for each, made in attributes.items() if made.default is NOT_LOADED}
        if only_assigns(part.schema.model) and attributes.keys() <= {*values, *rest}:
            self._assigned(model, rest | values)
        else:
            self._constructed(model, attributes, values)
        self.lines += ["    return entity", ""]

    def _assigned(self, model: str, values: Mapping[str, str]) -> None:
        self.lines.append(f"    entity = new({model})")
        self.lines += [f"    entity.{each} = {text}" for each, text in values.items()]

    def _constructed(
        self, model: str, attributes: Mapping[str, attrs.Attribute[Any]], values: Mapping[str, str]
    ) -> None:
        # What no constructor takes, or takes for an answer, is put in afterwards.
        later = {each for each, text in values.items() if not attributes[each].init or text == "NOT_LOADED"}
        given = {attributes[each].alias: text for each, text in values.items() if each not in later}
        self.lines.append(f"    entity = {model}({', '.join(f'{each}={text}' for each, text in given.items())})")
        self.lines += [f"    put(entity, {each!r}, {values[each]})" for each in values if each in later]

    def compiled(self, name: str) -> Build:
        """The function of that name."""
        exec(compile("\n".join(self.lines), f"<{self.title}>", "exec"), self.names)
        return typing.cast("Build", self.names[name])


def row_builder(schema: ModelSchema, loads: Mapping[str, Load | None]) -> Callable[[Sequence[Any]], Any]:
    """The constructor of rows with which nothing else is loaded."""
    source = Source(f"rows of {schema.name}")
    source.entity("build", Part(schema=schema, loads=loads, alone=True))
    return typing.cast("Callable[[Sequence[Any]], Any]", source.compiled("build"))


def only_assigns(model: type) -> bool:
    """Whether the constructor of an attrs class does nothing but assign its fields, so that it need not be called."""
    made: Any = model
    code = getattr(made.__init__, "__code__", None)
    return (
        code is not None
        and code.co_filename.startswith("<attrs generated")
        and "_attrs_cached_hash" not in code.co_names
        and made.__new__ is object.__new__
        and made.__setattr__ is object.__setattr__
        and not hasattr(made, "__attrs_pre_init__")
        and not hasattr(made, "__attrs_post_init__")
        and all(each.validator is None and each.converter is None for each in attrs.fields(made))
    )


def _once(text: str, load: str) -> str:
    return f"(None if (v := {text}) is None else {load}(v))"
