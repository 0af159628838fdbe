"""Faults of versions, soft deletion, checks and indexes: each is told when the models are compiled."""

import datetime as dt
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.models import compile_models
from loom.domain.constraints import index
from loom.domain.expr import col, params
from loom.domain.model import entity, field, key, schema_of


@attrs.define
class Plain:
    """Somebody else's class, without any of the fields."""

    id: int
    name: str = ""
    tags: list[str] = attrs.field(factory=list)
    version: int | None = None
    rev: int = attrs.field(default=1)
    deleted_at: dt.datetime = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


def issues_of(**options: Any) -> list[tuple[str, str]]:
    @attrs.define
    class Copy(Plain):
        pass

    entity(table="plain", **options)(Copy)
    issues = Issues()
    compile_models([Copy], issues)
    return [(issue.code, issue.message.replace("Copy", "Plain")) for issue in issues.found]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"version": "revision"}, "LOOM-CORE-020", "keeps a version, but has no such field: revision"),
        ({"version": True}, "LOOM-CORE-020", "keeps a version, but declares it as nullable: version"),
        ({"version": "name"}, "LOOM-CORE-020", "keeps a version, but declares it as string: name"),
        ({"version": "id"}, "LOOM-CORE-020", "keeps a version, but declares it as a key or unique: id"),
        ({"soft_delete": True}, "LOOM-CORE-021", "has soft_delete, but declares it as datetime: deleted_at"),
        ({"checks": {"Has Name": col("name") != ""}}, "LOOM-CORE-022", "the check 'Has Name' is no name"),
        ({"checks": {"a": col("nam") != ""}}, "LOOM-CORE-022", "does not exist"),
        ({"checks": {"a": col("name") > 1}}, "LOOM-CORE-022", "joins string with int"),
        ({"checks": {"a": col("name")}}, "LOOM-CORE-022", "a condition is needed"),
        ({"checks": {"a": col("tags") == "x"}}, "LOOM-CORE-022", "col('tags')"),
        ({"checks": {"a": params.limit > 1}}, "LOOM-CORE-022", "does not exist"),
        ({"checks": {"a": col("rev") < 2**63}}, "LOOM-CORE-022", "is outside"),
        ({"indexes": [index()]}, "LOOM-CORE-023", "names no column"),
        ({"indexes": [index("name", "nmae")]}, "LOOM-CORE-023", "column 'nmae' does not exist"),
        ({"indexes": [index("tags")]}, "LOOM-CORE-023", "tags is array, which cannot be indexed"),
        ({"indexes": [index("name", where=col("rev") == "x")]}, "LOOM-CORE-023", "joins int with string"),
    ],
)
def test_a_fault_is_told_with_its_code(options: dict[str, Any], code: str, text: str) -> None:
    found = issues_of(**options)
    assert [each[0] for each in found] == [code]
    assert text in found[0][1]


def test_all_faults_are_told_together() -> None:
    found = issues_of(version="v", soft_delete=True, checks={"a": col("x") > 1}, indexes=[index("y")])
    assert [code for code, _ in found] == ["LOOM-CORE-020", "LOOM-CORE-021", "LOOM-CORE-022", "LOOM-CORE-023"]


def test_a_unique_value_that_may_come_back_is_no_target_of_references() -> None:
    @entity(table="gone", soft_delete=True)
    class Gone:
        id: int = key()
        email: str = field(unique=True)

    @entity(table="seekers")
    class Seeker:
        id: int = key()
        by_key: int = field(references="gone.id")
        by_email: str = field(references="gone.email")

    issues = Issues()
    compile_models([Gone, Seeker], issues)
    assert [(issue.code, issue.remedy) for issue in issues.found] == [
        ("LOOM-CORE-024", "reference the key of a model with soft_delete")
    ]


def test_what_a_plain_class_lacks_is_added() -> None:
    @entity(table="added", timestamps=True, version="revision", soft_delete=True)
    class Added:
        id: int = key()

    assert schema_of(Added).names == ("id", "created_at", "updated_at", "revision", "deleted_at")
    assert schema_of(Added).kept == ("created_at", "updated_at", "revision", "deleted_at")
