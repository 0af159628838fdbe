"""From declared rules to functions that give their failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from loom.application.compile import Kinds
from loom.application.usecase.fields import Read, Scene, check_ref, reader
from loom.application.usecase.functions import check_function
from loom.application.usecase.plan import Call, CompiledRule
from loom.application.usecase.rule import EachRule, FieldRule, Rule, RuleGroup, RuleMode
from loom.domain.absent import ABSENT
from loom.domain.errors import FieldError
from loom.domain.expr import Expr, Ref, refs
from loom.domain.expr_python import to_python
from loom.domain.model import ModelSchema, schema_of
from loom.domain.schema import Kind

CompileRule = Callable[[Any, Scene], CompiledRule]
"""Compiles one kind of rule, or records its issues; what it returns then is never called."""

RULES: Kinds[CompileRule] = Kinds("rule")
_NONE: Sequence[FieldError] = ()


def compile_rules(declared: object, scene: Scene) -> tuple[CompiledRule, ...]:
    """Compile the ``rules`` of a use case. Their issues are recorded in the scene."""
    if not isinstance(declared, list | tuple):
        scene.add("LOOM-CORE-124", f"rules is a {type(declared).__name__}, not a list", "write rules = [Rule....]")
        return ()
    return tuple(_compile(rule, scene) for rule in declared)


def _compile(rule: object, scene: Scene) -> CompiledRule:
    behaviour = RULES.require(rule, scene.issues, "LOOM-CORE-124", scene.where)
    if behaviour is None or not isinstance(rule, Rule):
        return _holds
    before = len(scene.issues.found)
    for guard in rule.guards:
        check_ref(guard, "Rule.when_present", "LOOM-CORE-120", scene)
    sound = len(scene.issues.found) == before
    compiled = behaviour(rule, scene)
    return _guarded(compiled, rule.guards) if rule.guards and sound else compiled


def _holds(call: Call, subject: Any) -> Sequence[FieldError]:
    return _NONE


def _guarded(compiled: CompiledRule, guards: Sequence[Ref]) -> CompiledRule:
    readers = tuple(reader(ref.ref_path) for ref in guards)

    def evaluate(call: Call, subject: Any) -> Sequence[FieldError]:
        for read in readers:
            value = read(subject)
            if value is None or value is ABSENT:
                return _NONE
        return compiled(call, subject)

    return evaluate


def _group(rule: RuleGroup, scene: Scene) -> CompiledRule:
    parts = tuple(_compile(part, scene) for part in rule.parts)

    def together(call: Call, subject: Any) -> Sequence[FieldError]:
        return [failure for part in parts for failure in part(call, subject)]

    def alternatives(call: Call, subject: Any) -> Sequence[FieldError]:
        failures: list[FieldError] = []
        for part in parts:
            found = part(call, subject)
            if not found:
                return _NONE
            failures.extend(found)
        return failures

    return alternatives if rule.alternatives else together


def _each(rule: EachRule, scene: Scene) -> CompiledRule:
    if not rule.rules:
        scene.add("LOOM-CORE-123", f"Rule.each({rule.items!r}) has no rules", "add rules over F(Item)")
    logical = check_ref(rule.items, "Rule.each", "LOOM-CORE-120", scene)
    item = logical.item if logical is not None and logical.kind is Kind.ARRAY else None
    if item is None or item.kind is not Kind.STRUCT:
        if logical is not None:
            scene.add(
                "LOOM-CORE-125",
                f"Rule.each: {rule.items!r} is no list of attrs classes",
                "check other lists with Rule.check, whose function may return FieldError(path=(index,), ...)",
            )
        return _holds
    # A failure over a parameter points at the item itself.
    inside = {name: attrs.evolve(plan, path=()) for name, plan in scene.params.items()}
    within = attrs.evolve(scene, subject=schema_of(item.python), models=(), params=inside)
    rules = tuple(_compile(inner, within) for inner in rule.rules)
    path = rule.items.ref_path
    read = reader(path)

    def evaluate(call: Call, subject: Any) -> Sequence[FieldError]:
        items = read(subject)
        if items is None or items is ABSENT:
            return _NONE
        return [
            attrs.evolve(failure, path=(*path, index, *failure.path))
            for index, entry in enumerate(items)
            for inner in rules
            for failure in inner(call, entry)
        ]

    return evaluate


def _field(rule: FieldRule, scene: Scene) -> CompiledRule:
    before = len(scene.issues.found)
    condition = rule.condition
    message: object = rule.message
    if rule.mode is not RuleMode.CHECK and not (isinstance(message, str) and message):
        scene.add(
            "LOOM-CORE-125", f"the message of a rule is {message!r}", 'write what is wrong: message="must be positive"'
        )
    if isinstance(condition, Expr):
        read = tuple(refs(condition))
        _check_unused(rule, scene)
    else:
        read = rule.fields
        _check_function(rule, scene)
    for ref in (*read, *((rule.target,) if rule.target is not None else ())):
        check_ref(ref, "Rule", "LOOM-CORE-120", scene)
    names: tuple[object, ...] = rule.parameters
    for name in names:
        if not isinstance(name, str):
            scene.add("LOOM-CORE-121", f"Rule: {name!r} is no parameter's name", 'write .from_params("name")')
        elif name not in scene.params:
            scene.issues.unknown("LOOM-CORE-121", scene.where, "Rule: parameter", name, scene.params)
    subject = scene.subject
    if isinstance(condition, Expr) and len(scene.issues.found) == before and subject is not None:
        scene.issues.predicate("LOOM-CORE-122", scene.where, condition, lambda ref: _kind(subject, ref), subject.names)
    if len(scene.issues.found) > before:
        return _holds
    return _evaluator(rule, read, _path(rule, read, scene))


def _check_unused(rule: FieldRule, scene: Scene) -> None:
    if rule.fields or rule.parameters:
        scene.add(
            "LOOM-CORE-125",
            f"a rule ({rule.label}) is an expression, which reads its own fields; from_command and from_params "
            "have no effect",
            "write a function of the values, or leave them out; .at(F(Command).field) says where a failure points",
        )


def _check_function(rule: FieldRule, scene: Scene) -> None:
    if not callable(rule.condition):
        scene.add(
            "LOOM-CORE-125",
            f"the condition of a rule ({rule.label}) is {rule.condition!r}, neither an expression nor a function",
            "write F(Command).field > 0, or a function of the values",
        )
    elif not rule.fields and not rule.parameters:
        scene.add(
            "LOOM-CORE-123",
            f"a rule ({rule.label}) reads nothing",
            "add .from_command(F(Command).field) or .from_params(name)",
        )
    else:
        count = len(rule.fields) + len(rule.parameters)
        check_function(rule.condition, count, f"a rule ({rule.label})", scene)


def _path(rule: FieldRule, read: Sequence[Ref], scene: Scene) -> tuple[str, ...]:
    if rule.target is not None:
        return rule.target.ref_path
    if read:
        return read[0].ref_path
    return scene.params[rule.parameters[0]].path if rule.parameters else ()


def _kind(schema: ModelSchema, ref: Ref) -> Kind | None:
    logical = None
    for name in ref.ref_path:
        found = schema.field(name)
        if found is None:
            raise LookupError(name)
        logical = found.type
        if logical.kind is Kind.STRUCT:
            schema = schema_of(logical.python)
    return logical.kind if logical is not None else None


def _evaluator(rule: FieldRule, read: Sequence[Ref], path: tuple[str, ...]) -> CompiledRule:
    readers = tuple(reader(ref.ref_path) for ref in read)
    failures = _reading(rule, path)
    condition = rule.condition
    if isinstance(condition, Expr):
        test: Read = to_python(condition, lambda ref: reader(ref.ref_path))

        def evaluate(call: Call, subject: Any) -> Sequence[FieldError]:
            for field in readers:
                if field(subject) is ABSENT:
                    return _NONE
            return failures(test(subject))

        return evaluate
    parameters, function = rule.parameters, condition

    def apply(call: Call, subject: Any) -> Sequence[FieldError]:
        values = [field(subject) for field in readers]
        for value in values:
            if value is ABSENT:
                return _NONE
        return failures(function(*values, *[call.values[name] for name in parameters]))

    return apply


def _reading(rule: FieldRule, path: tuple[str, ...]) -> Callable[[Any], Sequence[FieldError]]:
    """The function that turns the outcome of a rule's condition into failures."""
    if rule.mode is RuleMode.CHECK:
        return lambda outcome: _NONE if outcome is None else list(_faults(outcome, path, rule.code))
    failed = (FieldError(path=path, message=rule.message, code=rule.code),)
    if rule.mode is RuleMode.FORBID:
        return lambda outcome: failed if outcome else _NONE
    return lambda outcome: _NONE if outcome else failed


def _faults(outcome: object, path: tuple[str, ...], code: str) -> Iterable[FieldError]:
    if isinstance(outcome, str) and outcome:
        yield FieldError(path=path, message=outcome, code=code)
    elif isinstance(outcome, FieldError):
        yield attrs.evolve(outcome, path=(*path, *outcome.path))
    elif isinstance(outcome, Iterable) and not isinstance(outcome, str):
        for part in outcome:
            yield from _faults(part, path, code)
    else:
        raise TypeError(f"the function of Rule.check returned {outcome!r}; it returns what is wrong, or None")


RULES.register(FieldRule, _field)
RULES.register(RuleGroup, _group)
RULES.register(EachRule, _each)
