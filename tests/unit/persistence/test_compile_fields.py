"""Fields, names and indexes that a database would refuse, or that attrs reads in part, are told with a remedy."""

import dataclasses
import enum
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.models import compile_models
from loom.domain.constraints import index
from loom.domain.expr import col
from loom.domain.model import FieldOptions, entity, field, key


@entity(table="parents")
class Parent:
    id: int = key(autoincrement=True)


class Nothing(enum.Enum):
    pass


class Odd(enum.Enum):
    NUL = "a\x00"


class Huge(enum.IntEnum):
    BEYOND = 2**63


def odd_enums() -> list[type]:
    @entity(table="odd")
    class Odds:
        id: int = key()
        none: Nothing
        odd: Odd
        huge: Huge

    return [Odds]


def odd_sizes() -> list[type]:
    @entity(table="sizes")
    class Sizes:
        id: int = key()
        pieces: int = field(max_length=3)
        name: str = field(max_length=0)
        price: Decimal = field(precision=2, scale=4)
        rate: Decimal = field(precision=4, scale=-1)
        none: Decimal = field(precision=0, scale=0)

    return [Sizes]


def an_entity_inside() -> list[type]:
    @entity(table="inside")
    class Inside:
        id: int = key()
        parent: Parent
        others: list[Parent] = field(factory=list)

    return [Inside, Parent]


def other_scale() -> list[type]:
    @entity(table="rates", key="rate", fields={"rate": FieldOptions(precision=8, scale=2)})
    @attrs.define
    class Rate:
        rate: Decimal

    @entity(table="uses")
    class Use:
        id: int = key()
        rate: Decimal = field(references="rates.rate", precision=8, scale=4)

    return [Rate, Use]


def fields_of_a_plain_class() -> list[type]:
    class Named:
        kinds: ClassVar[int] = 0
        name: str
        title: str = ""

    @entity(table="named")
    class Thing(Named):
        id: int = key()

    return [Thing]


def a_dataclass() -> list[type]:
    @entity(table="data")
    @dataclasses.dataclass
    class Data:
        id: int
        tags: list[str] = dataclasses.field(default_factory=list)

    return [Data]


def long_names() -> list[type]:
    made = attrs.make_class("Long", {"id": attrs.field(type=int), "f" * 64: attrs.field(type=int)})
    return [entity(table="t" * 64)(made)]


def names_of_databases() -> list[type]:
    @entity(table="sqlite_things")
    class Thing:
        id: int = key()
        name: str = ""
        Name: str = ""
        xmin: int = 0
        returning: bool = False

    @entity(table="Parents")
    class Upper:
        id: int = key()

    return [Thing, Parent, Upper]


def repeated_indexes() -> list[type]:
    @entity(table="twice", indexes=[index("name"), index("name", unique=True), index("name", where=col("name") != "")])
    class Twice:
        id: int = key()
        name: str = field(index=True, unique=True)

    return [Twice]


def none_by_default() -> list[type]:
    @entity(table="untitled")
    class Untitled:
        id: int = key(autoincrement=True)
        title: str = field(default=None)  # type: ignore[assignment]
        note: str | None = None

    return [Untitled]


def no_index() -> list[type]:
    @entity(table="plain", indexes=["name"])  # type: ignore[list-item]
    class Plain:
        id: int = key()
        name: str = ""

    return [Plain]


CASES: dict[Callable[[], list[type]], dict[str, str]] = {
    odd_enums: {
        "LOOM-CORE-003 Odds.none is Nothing, which has no members": "give it members",
        "LOOM-CORE-003 Odds.odd is Odd, whose value 'a\\x00' holds the character NUL, which databases do not keep": (
            "give the member another value"
        ),
        f"LOOM-CORE-003 Odds.huge is Huge, of whose values one is outside {-(2**63)} to {2**63 - 1}": (
            "give the members smaller values"
        ),
    },
    odd_sizes: {
        "LOOM-CORE-003 Sizes.pieces has a max_length, but is int": "only text and bytes have one",
        "LOOM-CORE-003 Sizes.name has max_length=0, which nothing fits": "give it one of 1 or more",
        "LOOM-CORE-003 Sizes.price has precision=2 and scale=4, which is no decimal": "precision is 1 to 1000",
        "LOOM-CORE-003 Sizes.rate has precision=4 and scale=-1, which is no decimal": "precision is 1 to 1000",
        "LOOM-CORE-003 Sizes.none has precision=0 and scale=0, which is no decimal": "precision is 1 to 1000",
    },
    an_entity_inside: {
        "LOOM-CORE-003 Inside.parent is the entity Parent, which has a table of its own": "declare it with relation()",
        "LOOM-CORE-003 Inside.others is the entity Parent, which has a table of its own": "declare it with relation()",
    },
    fields_of_a_plain_class: {
        "LOOM-CORE-012 Thing inherits name, title from Named, which is no attrs class: attrs passes over them": (
            "decorate Named with @attrs.define(kw_only=True)"
        ),
    },
    a_dataclass: {
        "LOOM-CORE-012 Data is a dataclass, whose defaults attrs cannot read": "remove @dataclass",
    },
    long_names: {
        f"LOOM-CORE-011 Long: the table {'t' * 64!r} has a name of 64 bytes, and PostgreSQL keeps 63": (
            "give it a shorter name"
        ),
        f"LOOM-CORE-011 Long: the field {'f' * 64!r} has a name of 64 bytes, and PostgreSQL keeps 63": (
            "give it a shorter name"
        ),
    },
    names_of_databases: {
        "LOOM-CORE-011 Thing: the table 'sqlite_things' has a name that SQLite keeps for itself": "call it something",
        "LOOM-CORE-011 Thing: the field 'xmin' has a name that a database keeps for itself": "call it something else",
        "LOOM-CORE-011 Thing: the field 'returning' has a name that a database keeps for itself": "call it something",
        "LOOM-CORE-011 Thing: the fields 'name' and 'Name' differ by case alone": "SQLite does not tell them apart",
        "LOOM-CORE-005 the tables of Upper and Parent, 'Parents' and 'parents', differ by case alone": (
            "give one of them another table"
        ),
    },
    repeated_indexes: {
        "LOOM-CORE-023 Twice: an index of name is declared twice": "leave one of them out",
        "LOOM-CORE-023 Twice: uniqueness of name is declared twice": "leave one of them out",
    },
    other_scale: {
        "LOOM-CORE-006 Use.rate references 'rates.rate', but rate is decimal with 4 digits after the point and rate is "
        "decimal with 2 digits after the point": "give both the same type",
    },
    none_by_default: {
        "LOOM-CORE-007 the default None of Untitled.title does not fit its type: it is never null": "annotate it with",
    },
    no_index: {"LOOM-CORE-023 Plain: 'name' is no index": "write indexes=[index('name')]"},
}


@pytest.mark.parametrize("models", CASES, ids=lambda models: models.__name__)
def test_a_fault_of_a_field_has_a_code_a_text_and_a_remedy(models: Callable[[], list[type]]) -> None:
    issues = Issues()
    compile_models(models(), issues)
    expected = CASES[models]
    assert [f"{issue.code} {issue.message}" for issue in issues.found] == list(expected)
    assert all(issue.remedy.startswith(expected[f"{issue.code} {issue.message}"]) for issue in issues.found)
