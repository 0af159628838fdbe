"""Where each parameter of a use case comes from: the path, the query string, or the page parameters."""

from __future__ import annotations

import datetime as dt
import enum
import inspect
from collections.abc import Sequence
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.rest.pages import ListRules, compile_page
from loom.application.rest.paths import PathTemplate
from loom.application.rest.plan import HeaderPlan, PagePlan, ParameterPlan
from loom.application.rest.profiles import Profile
from loom.application.rest.sparse import Fields
from loom.application.rest.text import is_repeated, text_reader
from loom.application.usecase.plan import ParamPlan, UseCasePlan
from loom.domain.errors import Place
from loom.domain.model import FieldSchema, ModelSchema, schema_of
from loom.domain.schema import LogicalType, logical_type


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Parameters:
    """All parameters of a route; where it is ``profiled``, the interface's profiles say what its answer holds."""

    path: tuple[ParameterPlan, ...]
    query: tuple[ParameterPlan, ...]
    header: tuple[HeaderPlan, ...]
    page: PagePlan | None
    profiled: bool = False
    sparse: bool = False


def compile_parameters(
    plan: UseCasePlan,
    path: PathTemplate,
    row: ModelSchema | None,
    rules: ListRules,
    where: Place,
    issues: Issues,
) -> Parameters:
    """Give every plain parameter of a use case its place in the request, or record why it has none.

    Args:
        plan: the use case.
        path: the whole path of the route.
        row: the model of the page that the use case returns, where it returns one.
        rules: say how lists are asked for.
        where: the route, for issues.
        issues: takes what is wrong.
    """
    pages = [param.name for param in plan.params if param.source == "query"]
    scalars = {
        param.name: param
        for param in plan.params
        if param.source == "param" and param.annotation not in (Profile, Fields)
    }
    sparse = [param.name for param in plan.params if param.annotation is Fields]
    profiled = [param for param in plan.params if param.annotation is Profile]
    headers = [param for param in plan.params if param.source == "header"]
    for name in path.parameters:
        if name not in scalars:
            taken = [other for other in scalars if other not in path.parameters]
            issues.unknown("LOOM-REST-006", where, f"{plan.name} takes no {{{name}}}: its parameter", name, taken)
    keys = {name: entry.type for name, entry in _keys(plan).items() if name in path.parameters}
    compiled = {name: _parameter(param, keys.get(name), plan, where, issues) for name, param in scalars.items()}
    read = [(param, _parameter(param, None, plan, where, issues)) for param in headers]
    page = compile_page(pages, row, plan, rules, where, issues)
    extra = (*page.parameters, *(held.parameter for held in page.filters)) if page is not None else ()
    of_page = {parameter.name for parameter in extra}
    extra = (*extra, *_profiles(profiled, plan, rules, where, issues))
    own = plan.model is rules.model
    if rules.fields is not None and own:
        extra = (*extra, *(attrs.evolve(rules.fields, name=name) for name in sparse))
    for name in (*scalars, *(param.name for param in profiled), *sparse):
        if name in of_page:
            issues.add(
                "LOOM-REST-017",
                where,
                f"{plan.name} takes {name!r}, which is a page parameter already",
                f"read it from the Query ({pages[0]}), or give it another name",
            )
    return Parameters(
        path=tuple(found for name in path.parameters if (found := compiled.get(name))),
        query=(*(found for name, found in compiled.items() if found and name not in path.parameters), *extra),
        header=tuple(HeaderPlan(param.header, found) for param, found in read if found),
        page=page,
        sparse=own and bool(sparse) and rules.fields is not None,
        profiled=plan.model is rules.model if profiled else page is not None and page.row.model is rules.model,
    )


def _profiles(
    params: Sequence[ParamPlan], plan: UseCasePlan, rules: ListRules, where: Place, issues: Issues
) -> list[ParameterPlan]:
    """The parameters that take a profile, where the interface has profiles that a client may ask for."""
    if rules.profile is not None and plan.model is rules.model:
        return [_profile(rules.profile, param, plan, where, issues) for param in params]
    for param in params:
        if param.required:
            issues.add(
                "LOOM-REST-060",
                where,
                f"{plan.name} takes {param.name!r}, but the interface has no profiles of its model to ask for",
                f'name them: profiles = (...), or give a default: {param.name}: Profile = Profile("")',
            )
    return []


def _profile(
    declared: ParameterPlan, param: ParamPlan, plan: UseCasePlan, where: Place, issues: Issues
) -> ParameterPlan:
    """The parameter ``profile`` of a use case, which has its own default."""
    default = "" if param.default in (..., None) else str(param.default)
    known = schema_of(plan.model).profiles if plan.model is not None else {}
    if default and default not in known and default != declared.default:  # of that one the interface says so
        issues.unknown("LOOM-REST-060", where, f"{plan.name}({param.name}): profile", default, known)
    return attrs.evolve(declared, name=param.name, required=param.required, default=default or None)


def _keys(plan: UseCasePlan) -> dict[str, FieldSchema]:
    return {entry.name: entry for entry in schema_of(plan.model).keys} if plan.model is not None else {}


def _parameter(
    param: ParamPlan, key: LogicalType | None, plan: UseCasePlan, where: Place, issues: Issues
) -> ParameterPlan | None:
    try:
        logical: LogicalType | None = logical_type(param.annotation)
    except TypeError:
        logical = None
    if logical is not None and key is not None and key.python is logical.python:
        logical = key  # the key of the main model brings the limits of its column
    read = None if logical is None else text_reader(logical)
    if logical is None or read is None:
        issues.add(
            "LOOM-REST-011",
            where,
            f"{plan.name}({param.name}: {inspect.formatannotation(param.annotation)}) has no text form, "
            "so it cannot come from a path, a query string or a header",
            "put it into the command, or use a scalar type",
        )
        return None
    return ParameterPlan(
        name=param.name,
        type=logical,
        required=param.required,
        read=read,
        repeated=is_repeated(logical),
        default=_json(param.default),
    )


def _json(default: object) -> Any:
    """A default as the document of the API shows it; ``None`` for what is required or null."""
    if default is ... or default is None:
        return None
    if isinstance(default, enum.Enum):
        return _json(default.value)
    if isinstance(default, list | tuple | frozenset | set):
        return [_json(item) for item in default]
    if isinstance(default, dt.date | dt.time):
        return default.isoformat()
    return default if isinstance(default, bool | int | float | str) else str(default)
