"""``UseCaseTest``: what it runs, what it finds, and what it says where a test fails."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from loom.core import (
    CompileError,
    Conflict,
    NotFound,
    Query,
    Unavailable,
    UseCase,
)
from loom.testing import Emitted, MemoryStore, UseCaseTest
from tests.unit.testing.testing_shop import (
    TEA,
    Audit,
    Mailer,
    Notify,
    Product,
    Restock,
    Restocked,
    RestockProduct,
)


def restocking(**services: object) -> UseCaseTest[Product]:
    return UseCaseTest(RestockProduct, given=[TEA], services={Mailer: Mailer()})


async def test_it_runs_the_use_case_over_the_given_rows() -> None:
    test = restocking()
    product = await test.run(Restock(pieces=3), params={"product_id": 1})
    assert product.stock == 5
    await test.assert_stored(Product, id=1, stock=5)
    await test.assert_stored(Audit, text="restocked tea at 2013-01-01")
    await test.assert_not_stored(Product, sku="milk")
    test.assert_emitted(Restocked(product_id=1, stock=5))
    test.assert_dispatched(Notify, Restock(pieces=3))


async def test_several_calls_see_what_the_earlier_ones_stored() -> None:
    test = restocking()
    for stock in (5, 8):
        assert (await test.run(Restock(pieces=3), params={"product_id": 1})).stock == stock
    assert [event.payload["stock"] for event in test.emitted] == [5, 8]


async def test_a_failure_keeps_and_emits_nothing() -> None:
    test = restocking()
    test.faults.inject("commit", Unavailable("the store is gone"))
    await test.fails(Unavailable, Restock(pieces=3), params={"product_id": 1})
    await test.assert_stored(Product, id=1, stock=2)
    test.assert_emitted()
    assert test.dispatched == []


@pytest.mark.parametrize("point", ["get", "update", "create"])
async def test_each_call_of_a_repository_can_be_made_to_fail(point: str) -> None:
    test = restocking()
    test.faults.inject(point, Unavailable(f"no {point}"))
    error = await test.fails(Unavailable, Restock(pieces=3), params={"product_id": 1})
    assert str(error) == f"no {point}"
    await test.assert_stored(Product, id=1, stock=2)


async def test_the_broken_rules_are_compared_by_pointer() -> None:
    test = restocking()
    await test.violates({"/pieces": "must be positive"}, Restock(pieces=0), params={"product_id": 1})
    with pytest.raises(AssertionError) as caught:
        await test.violates({"/pieces": "must be even"}, Restock(pieces=0), params={"product_id": 1})
    assert str(caught.value) == (
        "broken rules: wanted\n  /pieces: must be even\nbut found\n  /pieces: must be positive"
    )


async def test_the_clock_and_the_application_are_services_of_every_test() -> None:
    test = restocking()
    test.clock.advance(86_400)
    await test.run(Restock(pieces=1), params={"product_id": 1})
    await test.assert_stored(Audit, text="restocked tea at 2013-01-02")


async def test_a_missing_row_says_how_the_nearest_one_differs() -> None:
    test = restocking()
    with pytest.raises(AssertionError, match=re.escape("no Product with id=1, stock=7 is stored; there is 1 row")) as c:
        await test.assert_stored(Product, id=1, stock=7)
    assert "stock is 2, not 7" in str(c.value)
    with pytest.raises(AssertionError, match="Product has no field 'colour'"):
        await test.assert_stored(Product, colour="green")
    with pytest.raises(AssertionError, match="rows of Product: wanted\n  nothing\nbut found\n  Product"):
        await test.assert_not_stored(Product, id=1)


async def test_a_failure_that_does_not_come_or_is_another_says_so() -> None:
    test = restocking()
    with pytest.raises(AssertionError, match=r"Product\(Restock\(pieces=1\)\) was to fail with Conflict, but returned"):
        await test.fails(Conflict, Restock(pieces=1), params={"product_id": 1})
    with pytest.raises(AssertionError, match="was to fail with Conflict, but raised NotFound: Product 9") as caught:
        await test.fails(Conflict, Restock(pieces=1), params={"product_id": 9})
    assert isinstance(caught.value.__cause__, NotFound)


async def test_events_that_differ_are_shown_side_by_side() -> None:
    test = restocking()
    await test.run(Restock(pieces=1), params={"product_id": 1})
    with pytest.raises(AssertionError, match=r"(?s)events: wanted.*'stock': 9.*but found.*'stock': 3"):
        test.assert_emitted(Restocked(product_id=1, stock=9))
    with pytest.raises(AssertionError, match="dispatched jobs: wanted"):
        test.assert_dispatched(Notify, Restock(pieces=9))
    assert test.emitted == [Emitted("Restocked", "restocked", "1", {"product_id": 1, "stock": 3})]


def test_a_use_case_with_issues_or_without_its_services_cannot_be_tested() -> None:
    with pytest.raises(CompileError, match="nothing is bound to Mailer"):
        UseCaseTest(RestockProduct)


async def test_the_store_checks_as_a_database_does() -> None:
    store = MemoryStore()
    await store.put(TEA)
    with pytest.raises(Conflict):
        await store.put(Product(id=2, sku="tea", name="Other"))
    assert await store.rows(Product) == [TEA]
    with pytest.raises(ValueError, match="there is no point 'craete'"):
        store.faults.inject("craete", Unavailable("gone"))


class StreamNames(UseCase[Product, AsyncIterator[str]]):
    read_only = True

    async def execute(self) -> AsyncIterator[str]:
        async def names() -> AsyncIterator[str]:
            async for product in self.main_repo.stream(Query(limit=None)):
                yield f"{product.name}, one of {await self.main_repo.count()}"

        return names()


async def test_rows_that_are_streamed_have_been_read_in_their_transaction() -> None:
    test = UseCaseTest(StreamNames, given=[TEA])
    assert [name async for name in await test.run()] == ["Tea, one of 1"]
    test.faults.inject("stream", Unavailable("gone"))
    await test.fails(Unavailable)
