"""Read profiles over HTTP: ``?profile=with_details``, its names, and what an answer holds under each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NewType

from loom.application.compile import Issues
from loom.application.conversion.faults import not_a_choice
from loom.application.profiles import Profile as Loaded
from loom.application.profiles import compile_profiles
from loom.application.rest.declare import RestInterface
from loom.application.rest.plan import ParameterPlan
from loom.domain.errors import Place
from loom.domain.model import ModelSchema, schema_of
from loom.domain.schema import logical_type

Profile = NewType("Profile", str)
"""A parameter of ``execute`` so annotated takes ``?profile=``: one of the profiles that the interface declares, or the
parameter's own default. Where the interface declares none a client cannot send it."""

PARAMETER = "profile"


def compile_profile(
    interface: type[RestInterface[Any]], schema: ModelSchema | None, where: Place, issues: Issues
) -> ParameterPlan | None:
    """The parameter ``profile`` of an interface; ``None`` where it declares no profiles."""
    names = tuple(dict.fromkeys(interface.profiles))
    default = interface.default_profile
    known = schema.profiles if schema is not None else {}
    for option, each in [*(("profiles", name) for name in names), *([("default_profile", default)] if default else [])]:
        if each not in known:
            model = schema.name if schema is not None else "no entity"
            what = f"{interface.__name__}.{option}: profile of {model}"
            issues.unknown("LOOM-REST-060", where, what, each, known)
    choices = tuple(dict.fromkeys([*names, *([default] if default else [])]))
    if not names:
        return None
    return ParameterPlan(
        name=PARAMETER,
        type=logical_type(Literal[choices]),
        required=False,
        read=_reader(choices),
        default=default or None,
        description="what is loaded beside each row",
    )


def answers_of(interface: type[RestInterface[Any]], schema: ModelSchema) -> Mapping[str, Loaded | None]:
    """What the rows of an answer hold under each profile that a client may ask for, the one without a request first."""
    compiled = compile_profiles(schema, _Schemas(), Issues())  # faults are told with the models
    names = dict.fromkeys([interface.default_profile, *interface.profiles])
    return {name: compiled.get(name) for name in names}


class _Schemas(Mapping[type, ModelSchema]):
    """Schemas as they are asked for: an interface knows its own model alone."""

    def __getitem__(self, model: type) -> ModelSchema:
        return schema_of(model)

    def __iter__(self) -> Iterator[type]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, model: object) -> bool:
        return isinstance(model, type)


def _reader(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise not_a_choice(text, choices)
        return text

    return read
