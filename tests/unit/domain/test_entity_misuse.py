"""What ``entity`` is told of a class that it cannot be true of."""

from __future__ import annotations

import attr
import attrs

from loom.application.compile import Issues
from loom.application.models import compile_models
from loom.core import FieldOptions, entity, field, key
from loom.domain.model import schema_of


@attrs.frozen
class EmOwn:
    id: int
    name: str = ""


@attr.s(frozen=True)
class EmLegacy:
    """Attrs of the old kind, which says its types beside the annotations."""

    id = attr.ib(type=int)
    name = attr.ib(type=str, default="")


@entity(table="em_unannotated")
class EmUnannotated:
    id = key()
    name: str = field(max_length=10)


def told(*models: type) -> list[str]:
    issues = Issues()
    compile_models(models, issues)
    return [f"{issue.code} {issue.message} | {issue.remedy}" for issue in issues.found]


def test_keys_and_fields_of_somebody_elses_class_exist() -> None:
    entity(table="em_own", key="idd", fields={"nam": FieldOptions(max_length=3)})(EmOwn)
    assert told(EmOwn) == [
        "LOOM-CORE-013 entity(key=...): EmOwn field 'idd' does not exist | did you mean 'id'?",
        "LOOM-CORE-013 entity(fields=...): EmOwn field 'nam' does not exist | did you mean 'name'?",
    ]


def test_a_field_without_annotation_is_told() -> None:
    assert told(EmUnannotated) == [
        (
            "LOOM-CORE-012 EmUnannotated.id has no annotation, so attrs takes no annotated field of the class either | "
            "write id: int = ..."
        )
    ]


def test_types_of_the_old_kind_are_types() -> None:
    entity(table="em_legacy")(EmLegacy)
    assert told(EmLegacy) == []
    assert [each.type.python for each in schema_of(EmLegacy).fields] == [int, str]
