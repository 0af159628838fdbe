"""An extension of griffe: values show their fields in the reference, as parameters of what makes them.

Griffe reads source, and knows the constructors that dataclasses write, but not those of attrs.
"""

from collections.abc import Iterator
from typing import Any

from griffe import (
    Attribute,
    Class,
    ExprCall,
    ExprKeyword,
    Extension,
    Function,
    Module,
    Parameter,
    ParameterKind,
    Parameters,
)

NOT_OURS_TO_GIVE = ("declared_at",)
"""What declarations fill in by themselves."""


class ReferenceFields(Extension):
    """Gives each class with ``@frozen`` the ``__init__`` that attrs will write."""

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Called by griffe for each package that it has read."""
        for cls in classes_of(pkg):
            fields = fields_of(cls) if _is_value(cls) and "__init__" not in cls.members else []
            # What has a field of its own business is made by loom, and handed out.
            if fields and not any(field.name.startswith("_") for field in fields):
                given = Parameter("self", kind=ParameterKind.positional_or_keyword)
                init = Function("__init__", parent=cls, parameters=Parameters(given, *fields), returns="None")
                cls.set_member("__init__", init)


def classes_of(within: Module | Class) -> Iterator[Class]:
    """All classes of a package, those inside classes included."""
    for member in within.members.values():
        if isinstance(member, Class):
            yield member
        if isinstance(member, (Module, Class)):
            yield from classes_of(member)


def fields_of(cls: Class) -> list[Parameter]:
    """The parameters of a value's constructor, those of its bases first; keyword-only ones last."""
    found: dict[str, Parameter] = {}
    for each in (*reversed(cls.mro()), cls):
        if _is_value(each):
            found.update((field.name, field) for field in _own_fields(each))
    return sorted(found.values(), key=lambda field: field.kind is ParameterKind.keyword_only)


def _own_fields(cls: Class) -> Iterator[Parameter]:
    named = any("kw_only=True" in text for text in _decorators(cls))
    kind = ParameterKind.keyword_only if named else ParameterKind.positional_or_keyword
    for name, member in cls.members.items():
        if not isinstance(member, Attribute) or member.annotation is None or name in NOT_OURS_TO_GIVE:
            continue
        options = _options(member)
        if "property" in member.labels or options.get("init") == "False":
            continue
        yield Parameter(name, annotation=member.annotation, kind=kind, default=_default(member, options))


def _default(member: Attribute, options: dict[str, str]) -> str | None:
    if "factory" in options:
        # What a function gives is not known before it is called; a class gives an empty one of its own.
        return f"{options['factory']}()" if options["factory"].isidentifier() else "..."
    if options:
        return options.get("default")
    return None if member.value is None else str(member.value)


def _options(member: Attribute) -> dict[str, str]:
    """What the attribute gives to ``attrs.field``; nothing where it has a plain default or none."""
    call = member.value
    if not isinstance(call, ExprCall) or str(call.function) != "attrs.field":
        return {}
    return {"": "", **{each.name: str(each.value) for each in call.arguments if isinstance(each, ExprKeyword)}}


def _is_value(cls: Class) -> bool:
    return any(
        text.partition("(")[0] in ("frozen", "attrs.frozen") and "eq=False" not in text for text in _decorators(cls)
    )


def _decorators(cls: Class) -> list[str]:
    return [str(each.value) for each in cls.decorators]
