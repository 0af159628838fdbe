"""Which error becomes which status, and what a problem document says and keeps to itself."""

from __future__ import annotations

import pytest

from loom.application.rest.problems import (
    BodyTooLarge,
    InvalidRequest,
    Located,
    UnknownCursor,
    UnsupportedMedia,
    problem_of,
    status_of,
)
from loom.domain.errors import (
    Conflict,
    DeadlineExceeded,
    EngineFailure,
    FieldError,
    Forbidden,
    InvalidInput,
    LoomError,
    MalformedInput,
    NotFound,
    PreconditionFailed,
    RuleViolations,
    ScopeFailed,
    Unauthenticated,
    Unavailable,
)

FAULT = FieldError(path=("address", 0, "a/b"), message="is required", code="required")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedInput, 400),
        (Unauthenticated, 401),
        (Forbidden, 403),
        (NotFound, 404),
        (UnknownCursor, 404),
        (Conflict, 409),
        (PreconditionFailed, 412),
        (BodyTooLarge, 413),
        (UnsupportedMedia, 415),
        (InvalidInput, 422),
        (RuleViolations, 422),
        (ScopeFailed, 500),
        (EngineFailure, 500),
        (KeyError, 500),
        (Unavailable, 503),
        (DeadlineExceeded, 504),
    ],
)
def test_each_error_has_its_status(error: type[Exception], status: int) -> None:
    assert status_of(error) == status


def test_an_error_of_ones_own_has_the_status_of_its_base() -> None:
    class OutOfStock(Conflict):
        code = "SHOP-STOCK"

    document = problem_of(OutOfStock("none left"), "trace")
    assert (document["status"], document["code"], document["detail"]) == (409, "SHOP-STOCK", "none left")


def test_faults_are_json_pointers() -> None:
    document = problem_of(InvalidInput([FAULT]), "trace")
    assert document["errors"] == [
        {"in": "body", "pointer": "/address/0/a~1b", "detail": "is required", "code": "required"}
    ]


def test_faults_say_in_which_part_of_the_request_they_are() -> None:
    document = problem_of(InvalidRequest([Located(part="query", error=FAULT)]), "trace")
    assert document["errors"][0]["in"] == "query"


def test_a_rule_over_a_parameter_points_at_it_where_it_stands() -> None:
    broken = [FieldError(path=(name,), message="too late") for name in ("since", "day", "cmd")]
    document = problem_of(RuleViolations(broken), "trace", {"since": "query", "day": "path"})
    assert [fault["in"] for fault in document["errors"]] == ["query", "path", "body"]


def test_a_conflict_names_its_fields() -> None:
    document = problem_of(Conflict("sku is taken", fields=["sku"]), "trace")
    assert [fault["pointer"] for fault in document["errors"]] == ["/sku"]


@pytest.mark.parametrize(
    "error",
    [Unavailable("db7.internal"), DeadlineExceeded("db7.internal"), LoomError("db7.internal"), OSError("db7.internal")],
)
def test_a_fault_of_the_server_keeps_its_text(error: Exception) -> None:
    document = problem_of(error, "trace")
    assert document["status"] >= 500
    assert "db7" not in str(document)


def test_titles_do_not_change_with_the_version_of_python() -> None:
    assert problem_of(InvalidInput([FAULT]), "trace")["title"] == "Unprocessable Content"
