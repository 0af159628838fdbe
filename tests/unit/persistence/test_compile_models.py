"""Every fault of every model is found at once, and its text says what to do."""

import datetime as dt
import enum
from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.models import compile_model, compile_models
from loom.domain.model import FieldOptions, entity, field, key


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


@attrs.define
class Unpersisted:
    id: int


@entity(table="parents")
class Parent:
    id: int = key(autoincrement=True)
    code: str = field(max_length=3, unique=True)
    name: str = ""


@entity(table="children")
class Child:
    id: int = key(autoincrement=True)
    parent: int = field(references="parents.id")
    code: str | None = field(default=None, references="parents.code")


def faults(*models: type) -> dict[str, str]:
    issues = Issues()
    compile_models(models, issues)
    return {f"{issue.code} {issue.message}": issue.remedy for issue in issues.found}


def test_sound_models_compile_to_their_schemas() -> None:
    issues = Issues()
    schemas = compile_models([Child, Parent, Child], issues)
    assert issues.found == []
    assert [schema.table for schema in schemas] == ["children", "parents"]


def test_an_issue_says_where_the_model_is_written() -> None:
    issues = Issues()
    assert compile_model(Unpersisted, issues) is None
    (issue,) = issues.found
    assert issue.where.file == __file__
    assert issue.where.name == "Unpersisted"


def no_key() -> list[type]:
    @entity(table="keyless")
    class Keyless:
        name: str

    return [Keyless]


def counted_text() -> list[type]:
    @entity(table="counted")
    class Counted:
        code: str = key(autoincrement=True)

    return [Counted]


def counted_part() -> list[type]:
    @entity(table="counted")
    class Counted:
        shop: int = key()
        number: int = key(autoincrement=True)

    return [Counted]


def nullable_key() -> list[type]:
    @entity(table="nullable")
    class Nullable:
        code: str | None = key()

    return [Nullable]


def key_without_order() -> list[type]:
    @entity(table="listed")
    class Listed:
        codes: list[str] = key()

    return [Listed]


def one_table() -> list[type]:
    @entity(table="parents")
    class Other:
        id: int = key()

    return [Parent, Other]


def unknown_table() -> list[type]:
    @entity(table="orphans")
    class Orphan:
        id: int = key()
        parent: int = field(references="parent.id")

    return [Parent, Orphan]


def unknown_column() -> list[type]:
    @entity(table="orphans")
    class Orphan:
        id: int = key()
        parent: str = field(references="parents.cod")

    return [Parent, Orphan]


def shared_column() -> list[type]:
    @entity(table="orphans")
    class Orphan:
        id: int = key()
        parent: str = field(references="parents.name")

    return [Parent, Orphan]


def other_type() -> list[type]:
    @entity(table="orphans")
    class Orphan:
        id: int = key()
        parent: str = field(references="parents.id")

    return [Parent, Orphan]


def no_column() -> list[type]:
    @entity(table="orphans")
    class Orphan:
        id: int = key()
        parent: int = field(references="parents")

    return [Parent, Orphan]


def unknown_types() -> list[type]:
    @entity(table="odd")
    class Odd:
        id: int = key()
        either: int | str
        numbers: complex

    return [Odd]


def mixed_enum() -> list[type]:
    @entity(table="mixed")
    class Mixture:
        id: int = key()
        kind: Mixed

    return [Mixture]


def unique_list() -> list[type]:
    @entity(table="listed")
    class Listed:
        id: int = key()
        codes: list[str] = field(factory=list, unique=True)

    return [Listed]


def bad_default() -> list[type]:
    @entity(table="priced")
    class Priced:
        id: int = key()
        price: Decimal = field(default=Decimal("0.125"), precision=4, scale=2)

    return [Priced]


def no_timestamps() -> list[type]:
    @attrs.define
    class Stamped:
        id: int
        created_at: dt.date | None = None

    entity(table="stamped", timestamps=True, fields={"id": FieldOptions(key=True)})(Stamped)
    return [Stamped]


CASES: dict[Callable[[], list[type]], dict[str, str]] = {
    lambda: [Unpersisted]: {
        "LOOM-CORE-001 Unpersisted is not an entity": 'declare it with @entity(table="unpersisted"), '
        "or call entity(table=...)(Unpersisted)"
    },
    no_key: {
        "LOOM-CORE-002 Keyless has no key": 'declare one field with key(), or name it: entity(table=..., key="...")'
    },
    unknown_types: {
        "LOOM-CORE-003 Odd.either: int | str is a union of several types; a field has one type, or one type and None": (
            "use a scalar, an enum, a list, a dict, or an attrs class"
        ),
        "LOOM-CORE-003 Odd.numbers: complex has no logical type; use an attrs class or a scalar": (
            "use a scalar, an enum, a list, a dict, or an attrs class"
        ),
    },
    mixed_enum: {
        "LOOM-CORE-003 Mixture.kind: the values of Mixed are neither all text nor all integers": (
            "no column holds both; give the members values of one type"
        )
    },
    unique_list: {
        "LOOM-CORE-003 Listed.codes is array, which cannot be unique or indexed": "index a scalar field",
    },
    counted_text: {
        "LOOM-CORE-004 Counted.code is autoincrement, but its type is string": "only an int is counted up by the store",
    },
    counted_part: {
        "LOOM-CORE-004 Counted.number is autoincrement, but the key is shop, number": (
            "a counted number identifies the row alone"
        ),
    },
    one_table: {
        "LOOM-CORE-005 Other and Parent are both stored in table 'parents'": "give one of them another table",
    },
    unknown_table: {
        "LOOM-CORE-006 Orphan.parent references 'parent.id': table 'parent' does not exist": "did you mean 'parents'?",
    },
    unknown_column: {
        "LOOM-CORE-006 Orphan.parent references 'parents.cod': column 'cod' does not exist": "did you mean 'code'?",
    },
    shared_column: {
        "LOOM-CORE-006 Orphan.parent references 'parents.name', which several rows may share": (
            "reference a key or a unique field"
        ),
    },
    other_type: {
        "LOOM-CORE-006 Orphan.parent references 'parents.id', but parent is string and id is int": (
            "give both the same type"
        ),
    },
    no_column: {
        "LOOM-CORE-006 Orphan.parent references 'parents', which names no column": 'write "table.column"',
    },
    bad_default: {
        "LOOM-CORE-007 the default Decimal('0.125') of Priced.price does not fit its type: it has more than 2 digits "
        "after the point": "correct the default or the type"
    },
    nullable_key: {
        "LOOM-CORE-008 Nullable.code is a key, but its type is nullable": (
            "a key identifies the row: it is a scalar and never null"
        )
    },
    key_without_order: {
        "LOOM-CORE-008 Listed.codes is a key, but its type is array": (
            "a key identifies the row: it is a scalar and never null"
        )
    },
    no_timestamps: {
        "LOOM-CORE-009 Stamped keeps timestamps, but declares it as date: created_at": (
            "add created_at: datetime | None = None"
        ),
        "LOOM-CORE-009 Stamped keeps timestamps, but has no such field: updated_at": (
            "add updated_at: datetime | None = None"
        ),
    },
}


@pytest.mark.parametrize("models", CASES, ids=lambda models: models.__name__.strip("<>"))
def test_a_fault_has_a_code_a_text_and_a_remedy(models: Callable[[], list[type]]) -> None:
    found = faults(*models())
    expected = CASES[models]
    assert list(found) == list(expected)
    assert all(remedy.startswith(expected[text]) for text, remedy in found.items())


def test_faults_of_several_models_are_found_together() -> None:
    found = faults(*no_key(), *counted_text(), Unpersisted)
    assert [text.split()[0] for text in found] == ["LOOM-CORE-002", "LOOM-CORE-004", "LOOM-CORE-001"]


def test_a_model_that_refers_to_itself_is_sound() -> None:
    @entity(table="nodes")
    class Node:
        id: int = key(autoincrement=True)
        parent: int | None = field(default=None, references="nodes.id")

    assert faults(Node) == {}
