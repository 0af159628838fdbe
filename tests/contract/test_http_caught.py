"""A use case that catches the error of a statement: its unit of work has failed, and its client learns of what."""

from __future__ import annotations

import logging

import pytest

from loom.core import Conflict, UseCase, entity, field, key
from loom.ports.persistence import Persistence
from loom.rest import RestInterface, RestRoute
from tests.contract.http_api import serve
from tests.unit.rest.rest_shop import compiled


@entity(table="caught_members")
class Member:
    id: int = key(autoincrement=True)
    email: str = field(max_length=40, unique=True)


class Join(UseCase[Member, str]):
    async def execute(self, email: str) -> str:
        try:
            await self.main_repo.create({"email": email})
        except Conflict:
            return "is a member already"
        return "joined"


class JoinTwice(UseCase[Member, str]):
    async def execute(self, email: str) -> str:
        try:
            await self.main_repo.create({"email": email})
        except Conflict:
            await self.main_repo.count()
        return "joined"


class Members(RestInterface[Member]):
    prefix = "/members"
    routes = (
        RestRoute(use_case=Join, method="POST"),
        RestRoute(use_case=JoinTwice, method="POST", path="/twice"),
    )


@pytest.mark.parametrize("path", ["/members", "/members/twice"])
async def test_the_client_is_told_of_the_error_that_was_caught(
    any_store: Persistence, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(any_store, plans=compiled([Members]), models=[Member]) as api:
        assert (await api.client.post(path, params={"email": "a@b"})).status_code == 200
        with caplog.at_level(logging.WARNING, "loom.rest"):
            answer = await api.client.post(path, params={"email": "a@b"})
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("LOOM-CONFLICT", "/email")
    (line,) = [record for record in caplog.records if record.name == "loom.rest"]
    assert line.levelno == logging.WARNING
    assert "let the error end the unit of work" in line.getMessage()
