"""The executor owns the transaction: order of work, commit, rollback, nesting, and the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.usecase.executor import Executor
from loom.application.usecase.scope import Scope
from loom.core import (
    ApplicationInvoker,
    Compute,
    Conflict,
    Context,
    Exists,
    F,
    Input,
    InvalidInput,
    LoadById,
    NotFound,
    OnMissing,
    Query,
    Repository,
    Rule,
    RuleViolations,
    Unavailable,
    UseCase,
)
from loom.domain.context import current_context
from loom.domain.errors import ScopeClosed, ScopeFailed
from loom.testing.clock import FakeClock
from tests.unit.usecase.store_models import Bound, CreateProduct, Mailer, Product, ProductCreated, RenameProduct

_ALL = Query(limit=None)
_LEASE = dt.timedelta(minutes=1)
TEA = CreateProduct(sku="tea", name="  Tea ", price=Decimal("2.50"))


class Create(UseCase[Product, Product]):
    computes = [Compute.set(F(CreateProduct).name).from_command(F(CreateProduct).name, via=str.strip)]
    rules = [
        Rule.check(F(CreateProduct).price, via=lambda price: None if price > 0 else "must be positive"),
        Rule.require(F(CreateProduct).name != "", message="must not be blank").at(F(CreateProduct).name),
        Rule.forbid(lambda taken: taken, message="is taken").from_params("taken").at(F(CreateProduct).sku),
    ]

    async def execute(
        self, cmd: CreateProduct = Input(), taken: bool = Exists(Product, from_command="sku", against="sku")
    ) -> Product:
        product = await self.main_repo.create(cmd)
        self.emit(ProductCreated(id=product.id))
        return product


class Rename(UseCase[Product, Product]):
    rules = [Rule.require(F(RenameProduct).stock >= 0, message="must not be negative")]

    async def execute(
        self, product_id: int, cmd: RenameProduct = Input(), product: Product = LoadById(Product, by="product_id")
    ) -> Product:
        changed = await self.main_repo.update(product_id, cmd)
        assert changed is not None
        return changed


class Peek(UseCase[Product, str]):
    read_only = True

    async def execute(
        self, product: Product | None = LoadById(Product, by="product_id", on_missing=OnMissing.NONE)
    ) -> str:
        return product.name if product else "nothing"


class WritesReadOnly(UseCase[Product, Product]):
    read_only = True

    async def execute(self, cmd: CreateProduct = Input()) -> Product:
        products = self.main_repo  # behind another name, so that only the run can tell
        return await products.create(cmd)


class Fails(UseCase[Product, None]):
    async def execute(self, cmd: CreateProduct = Input()) -> None:
        await self.main_repo.create(cmd)
        self.emit(ProductCreated(id=1))
        raise ZeroDivisionError("a fault of the user's code")


class CreatesTwo(UseCase[Product, int]):
    def __init__(self, app: ApplicationInvoker, products: Repository[Product], mailer: Mailer) -> None:
        self.app = app
        self.products = products
        self.mailer = mailer

    async def execute(self, cmd: CreateProduct = Input()) -> int:
        first = await self.app.invoke(Create, cmd)
        await self.app.invoke(Create, CreateProduct(sku=f"{cmd.sku}-2", name=cmd.name, price=cmd.price))
        # The nested call's row is visible here, in the same unit of work.
        assert await self.products.get(first.id) == first
        self.mailer.sent.append(first.sku)
        return await self.products.count()


class SwallowsFailure(UseCase[Product, str]):
    def __init__(self, app: ApplicationInvoker) -> None:
        self.app = app

    async def execute(self, cmd: CreateProduct = Input()) -> str:
        await self.app.invoke(Create, cmd)
        try:
            await self.app.invoke(Fails, CreateProduct(sku="other", name=cmd.name, price=cmd.price))
        except ZeroDivisionError:
            return "caught"
        return "not reached"


class KeepsItself(UseCase[Product, Any]):
    async def execute(self) -> Any:
        return self


class TellsContext(UseCase[None, str]):
    async def execute(self) -> str:
        context = current_context.get()
        assert context is not None
        return context.correlation_id


class Sum(UseCase[None, int]):
    read_only = True

    async def execute(self, left: int, right: int = 2) -> int:
        return left + right


class ReachesBeyondItsPlan(UseCase[None, Any]):
    read_only = True

    async def execute(self) -> Any:
        return self._scope().repository(Product)


class Nests(UseCase[None, str]):
    read_only = True

    def __init__(self, app: ApplicationInvoker) -> None:
        self.app = app

    async def execute(self, product_id: int) -> str:
        return await self.app.invoke(Peek, params={"product_id": product_id})


@pytest.fixture
async def store() -> AsyncIterator[MemoryPersistence]:
    persistence = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
    await persistence.start([Product])
    yield persistence
    await persistence.stop()


@pytest.fixture
def mailer() -> Mailer:
    return Mailer()


@pytest.fixture
def app(store: MemoryPersistence, mailer: Mailer) -> Executor:
    return Executor(store, Bound(mailer), JsonCodec(), FakeClock())


async def stored(app: Executor) -> list[str]:
    async with app.persistence.begin(read_only=True) as unit:
        return [product.sku async for product in unit.repository(Product).stream(_ALL)]


async def waiting(app: Executor) -> int:
    return (await app.persistence.relay_store().counts())["pending"]


async def test_computes_run_before_rules_and_execute(app: Executor) -> None:
    product = await app.invoke(Create, TEA)
    assert product == Product(id=1, sku="tea", name="Tea", price=Decimal("2.50"), stock=0)


async def test_every_broken_rule_is_reported_with_its_field_and_nothing_is_kept(app: Executor) -> None:
    await app.invoke(Create, TEA)
    with pytest.raises(RuleViolations) as caught:
        await app.invoke(Create, CreateProduct(sku="tea", name=" ", price=Decimal(0)))
    assert [(error.pointer, error.message) for error in caught.value.errors] == [
        ("/price", "must be positive"),
        ("/name", "must not be blank"),
        ("/sku", "is taken"),
    ]
    assert await stored(app) == ["tea"]


async def test_a_rule_over_a_field_that_was_not_sent_is_skipped(app: Executor) -> None:
    await app.invoke(Create, TEA)
    changed = await app.invoke(Rename, RenameProduct(name="Chai"), params={"product_id": 1})
    assert (changed.name, changed.stock) == ("Chai", 0)
    with pytest.raises(RuleViolations, match="/stock: must not be negative"):
        await app.invoke(Rename, RenameProduct(stock=-1), params={"product_id": 1})


async def test_a_load_that_finds_nothing_is_not_found_by_itself(app: Executor) -> None:
    with pytest.raises(NotFound, match="Product 7 does not exist"):
        await app.invoke(Rename, RenameProduct(), params={"product_id": 7})
    assert await app.invoke(Peek, params={"product_id": 7}) == "nothing"


async def test_the_event_is_stored_with_the_row_and_not_without_it(app: Executor) -> None:
    with pytest.raises(ZeroDivisionError):
        await app.invoke(Fails, TEA)
    assert (await stored(app), await waiting(app)) == ([], 0)
    await app.invoke(Create, TEA, context=Context(correlation_id="abc"))
    assert await waiting(app) == 1
    [record] = await app.persistence.relay_store().claim(10, now=app.clock.now(), lease=_LEASE)
    assert (record.destination, record.key, record.payload) == ("products", "1", b'{"id":1}')
    assert record.headers == {"x-correlation-id": "abc"}


async def test_a_commit_that_fails_keeps_nothing_and_reaches_the_caller(
    app: Executor, store: MemoryPersistence
) -> None:
    store.faults.inject("commit", Unavailable("the store is gone"))
    with pytest.raises(Unavailable, match="the store is gone"):
        await app.invoke(Create, TEA)
    assert (await stored(app), await waiting(app)) == ([], 0)


async def test_the_relay_is_woken_only_after_a_commit_that_left_records(
    store: MemoryPersistence, mailer: Mailer
) -> None:
    woken: list[int] = []
    app = Executor(store, Bound(mailer), JsonCodec(), FakeClock(), on_outbox=lambda: woken.append(1))
    with pytest.raises(ZeroDivisionError):
        await app.invoke(Fails, TEA)
    await app.invoke(Peek, params={"product_id": 1})
    assert woken == []
    await app.invoke(Create, TEA)
    assert woken == [1]


async def test_a_nested_call_shares_the_unit_of_work(app: Executor, mailer: Mailer) -> None:
    assert await app.invoke(CreatesTwo, TEA) == 2
    assert await stored(app) == ["tea", "tea-2"]
    assert mailer.sent == ["tea"]
    assert await waiting(app) == 2


async def test_a_nested_failure_fails_the_whole_even_where_it_was_caught(app: Executor) -> None:
    with pytest.raises(ScopeFailed, match="a nested use case failed: a fault of the user's code") as caught:
        await app.invoke(SwallowsFailure, TEA)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert (await stored(app), await waiting(app)) == ([], 0)


async def test_a_read_only_use_case_cannot_write(app: Executor) -> None:
    with pytest.raises(ScopeClosed):
        await app.invoke(WritesReadOnly, TEA)
    assert await stored(app) == []


async def test_repositories_exist_only_inside_a_scope(app: Executor) -> None:
    kept = await app.invoke(KeepsItself)
    with pytest.raises(ScopeClosed, match="the unit of work has ended"):
        _ = kept.main_repo
    with pytest.raises(ScopeClosed, match="KeepsItself runs outside a scope"):
        _ = KeepsItself().main_repo


async def test_the_context_is_current_inside_and_gone_afterwards(app: Executor) -> None:
    assert await app.invoke(TellsContext, context=Context(correlation_id="x")) == "x"
    assert current_context.get() is None


async def test_a_use_case_that_cannot_reach_the_store_does_without_it(app: Executor, store: MemoryPersistence) -> None:
    store.faults.inject("begin", Unavailable("the store is gone"))
    assert await app.invoke(Sum, params={"left": 1}) == 3
    with pytest.raises(InvalidInput, match="/left: is missing"):
        await app.invoke(Sum)
    with pytest.raises(ScopeClosed, match="names no model"):
        await app.invoke(ReachesBeyondItsPlan)
    assert current_context.get() is None
    with pytest.raises(Unavailable):
        await app.invoke(Nests, params={"product_id": 1})


async def test_one_that_reaches_it_through_another_has_a_unit_of_work(app: Executor) -> None:
    await app.invoke(Create, TEA)
    assert await app.invoke(Nests, params={"product_id": 1}) == "Tea"
    seen: list[Scope] = []

    async def after(scope: Scope, result: object) -> None:
        assert await scope.repository(Product).count() == 1
        seen.append(scope)

    assert await app.invoke(Sum, params={"left": 1}, after=after) == 3
    assert [scope.closed for scope in seen] == [True]


async def test_a_wrong_command_and_a_missing_parameter_are_invalid_input(app: Executor) -> None:
    with pytest.raises(InvalidInput, match="Create takes a CreateProduct, not RenameProduct"):
        await app.invoke(Create, RenameProduct())
    with pytest.raises(InvalidInput, match="/product_id: is missing"):
        await app.invoke(Rename, RenameProduct())


async def test_a_unique_value_is_a_conflict_where_no_rule_caught_it(app: Executor) -> None:
    class Bare(UseCase[Product, Product]):
        async def execute(self, cmd: CreateProduct = Input()) -> Product:
            return await self.main_repo.create(cmd)

    await app.invoke(Bare, TEA)
    with pytest.raises(Conflict) as caught:
        await app.invoke(Bare, TEA)
    assert caught.value.fields == ("sku",)


async def test_what_runs_after_sees_the_result_in_the_same_unit_of_work(app: Executor) -> None:
    """What it writes is kept with the call's changes, and what it raises undoes them."""

    async def double(scope: Scope, result: Any) -> None:
        assert await scope.repository(Product).get(result.id) == result
        await scope.repository(Product).create({"sku": "twin", "name": "Twin", "price": result.price})

    async def refuse(scope: Scope, result: Any) -> None:
        raise Conflict("no")

    await app.invoke(Create, TEA, after=double)
    with pytest.raises(Conflict, match="no"):
        await app.invoke(Create, CreateProduct(sku="mug", name="Mug", price=Decimal(1)), after=refuse)
    assert await stored(app) == ["tea", "twin"]
