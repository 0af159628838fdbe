"""``Idempotency-Key``: a request that is sent again is answered again, and not done again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from loom.adapters.fastapi.idempotent import Keys
from loom.adapters.fastapi.settings import FastapiSettings
from loom.application.rest.idempotency import ExpireAnswers, RequestUnderWay
from loom.domain.errors import Unavailable
from loom.ports.persistence import Persistence
from loom.rest import Idempotency
from tests.contract.http_api import Api, make_store, serve
from tests.unit.rest.rest_shop import ProductInterface, compiled

APPLE = {"sku": "A-1", "name": "Apple", "price": "1.20"}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


async def post(api: Api, key: str = KEY["Idempotency-Key"], **changes: Any) -> httpx2.Response:
    return await api.client.post("/products", json=APPLE | changes, headers={"Idempotency-Key": key})


async def skus(api: Api) -> list[str]:
    return [row["sku"] for row in (await api.client.get("/products")).json()["items"]]


async def test_a_request_that_is_sent_again_is_answered_again(every_api: Api) -> None:
    first, again = await post(every_api), await post(every_api)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await skus(every_api) == ["A-1"]


async def test_the_answer_is_that_of_then_and_not_of_now(every_api: Api) -> None:
    first = await post(every_api)
    await every_api.client.patch(first.headers["location"], json={"name": "Pear"})
    assert (await post(every_api)).content == first.content


async def test_of_fifty_at_once_one_is_done_and_all_are_answered_alike(every_api: Api) -> None:
    answers = await asyncio.gather(*(post(every_api) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert await skus(every_api) == ["A-1"]


async def test_two_processes_over_one_store_do_it_once(any_store: Persistence) -> None:
    """Here two applications: each has its own queue, and only the store is shared."""
    async with serve(any_store) as first, serve(any_store) as second:
        answers = await asyncio.gather(*(post(api) for api in (first, second) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await skus(first) == ["A-1"]


async def test_a_key_with_another_body_is_refused(every_api: Api) -> None:
    await post(every_api)
    answer = await post(every_api, sku="B-2")
    assert (answer.status_code, answer.json()["code"]) == (422, "LOOM-REST-KEY-REUSED")
    (fault,) = answer.json()["errors"]
    assert (fault["in"], fault["pointer"]) == ("header", "/Idempotency-Key")
    assert await skus(every_api) == ["A-1"]


async def test_a_key_on_another_path_is_refused(every_api: Api) -> None:
    rate = {"country": "SE", "since": "2013-01-05", "percent": "25.00"}
    await post(every_api)
    assert (await every_api.client.post("/rates", json=rate, headers=KEY)).status_code == 422


async def test_two_keys_are_two_requests(every_api: Api) -> None:
    await post(every_api)
    assert (await post(every_api, key="other")).status_code == 409
    assert (await post(every_api, key="third", sku="B-2")).status_code == 201


async def test_a_request_that_failed_may_be_sent_again_with_its_key(every_api: Api) -> None:
    await every_api.client.post("/products", json=APPLE)
    assert (await post(every_api)).status_code == 409
    await every_api.client.delete("/products/1")
    answer = await post(every_api)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers


async def test_a_commit_that_fails_keeps_no_answer(tmp_path: Path) -> None:
    store = make_store("memory", tmp_path)
    async with serve(store) as api:
        store.faults.inject("commit", Unavailable("gone"))  # type: ignore[attr-defined]
        assert (await post(api)).status_code == 503
        answer = await post(api)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)
        assert await skus(api) == ["A-1"]


async def test_an_answer_that_got_lost_is_found_again(tmp_path: Path) -> None:
    """The commit went through, and the server never heard of it: the client sends the request again."""
    store = make_store("memory", tmp_path)
    async with serve(store) as api:
        store.faults.inject("committed", Unavailable("gone"))  # type: ignore[attr-defined]
        assert (await post(api)).status_code == 503
        answer = await post(api)
        assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
        assert await skus(api) == ["A-1"]


async def test_routes_of_ones_own_keep_their_answers_too(every_api: Api) -> None:
    await every_api.client.post("/products", json=APPLE)
    answers = [await every_api.client.post("/products/1/restock", json={"pieces": 5}, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert (await every_api.client.get("/products/1")).json()["stock"] == 5
    assert (await every_api.store.relay_store().counts())["pending"] == 1


async def test_other_methods_do_not_look_at_the_key(every_api: Api) -> None:
    await post(every_api)
    for stock in (1, 2):
        answer = await every_api.client.patch("/products/1", json={"stock": stock}, headers=KEY)
        assert answer.json()["stock"] == stock


@pytest.mark.parametrize("headers", [[("idempotency-key", "")], [("idempotency-key", "a b")],
                                     [("idempotency-key", "x" * 256)],
                                     [("idempotency-key", "a"), ("idempotency-key", "b")]])  # fmt: skip
async def test_what_is_no_key_is_refused(tmp_path: Path, headers: list[tuple[str, str]]) -> None:
    async with serve(make_store("memory", tmp_path)) as api:
        answer = await api.client.post("/products", json=APPLE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "LOOM-REST-KEY")
        assert await skus(api) == []


async def test_a_key_can_be_required_and_switched_off(tmp_path: Path) -> None:
    class Careful(ProductInterface):
        idempotency = Idempotency.REQUIRED

    class Careless(ProductInterface):
        idempotency = Idempotency.OFF

    async with serve(make_store("memory", tmp_path), plans=compiled([Careful])) as api:
        answer = await api.client.post("/products", json=APPLE)
        assert (answer.status_code, answer.json()["code"]) == (400, "LOOM-REST-KEY")
        assert (await post(api)).status_code == 201
    async with serve(make_store("memory", tmp_path), plans=compiled([Careless])) as api:
        assert (await post(api)).status_code == 201
        assert (await post(api)).status_code == 409


async def test_after_its_lifetime_a_key_is_as_new(tmp_path: Path) -> None:
    settings = FastapiSettings(idempotency_lifetime=1e-6)
    async with serve(make_store("memory", tmp_path), settings) as api:
        assert (await post(api)).status_code == 201
        assert (await post(api)).status_code == 409


async def test_answers_are_forgotten_in_passing(tmp_path: Path) -> None:
    settings = FastapiSettings(idempotency_lifetime=1e-6)
    async with serve(make_store("memory", tmp_path), settings) as api:
        for number in range(100):
            assert (await post(api, key=str(number), sku=f"S-{number}")).status_code == 201
        assert await api.executor.invoke(ExpireAnswers) == 0


async def test_a_request_waits_for_the_one_with_its_key_but_not_for_ever() -> None:
    keys = Keys(None, lifetime=1, wait=0)  # type: ignore[arg-type]
    async with keys.turn("one"), keys.turn("two"):
        with pytest.raises(RequestUnderWay):
            async with keys.turn("one"):
                raise AssertionError
    async with keys.turn("one"):
        pass
