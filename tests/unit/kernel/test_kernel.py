"""The kernel: embedded by default, everything compiled before anything starts, any part replaced in one line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.config.kernel import Kernel
from loom.core import CompileError, ConfigError, LoomError
from loom.domain.errors import Unbound
from loom.ports.persistence import Persistence
from loom.ports.transport import Topics
from loom.testing.clock import FakeClock
from tests.unit.kernel import based, baseless, elsewhere, faulty, reserved, routed, shop

QUIET = ("observability.log.format=silent",)


def shop_kernel() -> Kernel:
    kernel = Kernel.from_yaml(overrides=QUIET, modules=[shop])
    kernel.bind(shop.Greeter, shop.Greeter())
    return kernel


async def test_an_empty_configuration_gives_a_working_kernel() -> None:
    async with shop_kernel() as kernel:
        assert await kernel.invoke(shop.Add, shop.AddItem(name="Ann")) == "hello Ann"


async def test_a_model_that_a_use_case_works_on_need_not_be_discovered() -> None:
    async with Kernel.from_yaml(overrides=QUIET, modules=[elsewhere]) as kernel:
        assert [schema.model for schema in kernel.plans.models] == [shop.Item]
        assert await kernel.invoke(elsewhere.CountItems) == 0


async def test_the_running_kernel_relays_events_to_their_topic() -> None:
    async with shop_kernel() as kernel:
        consumer = kernel.resolve(Topics).consumer(["items"], group="test")
        await kernel.invoke(shop.Add, shop.AddItem(name="Ann"))
        async with asyncio.timeout(10):
            [received] = await consumer.poll(limit=10, timeout=10)
        assert received.record.value == b'{"id":1}'
        await consumer.close()


async def test_what_is_relayed_after_a_restart_is_not_lost() -> None:
    store = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
    kernel = shop_kernel()
    with kernel.override(Persistence, store):
        await store.start([shop.Item])
        # Committed while no relay runs, as after a crash between the commit and the sending.
        await kernel.invoke(shop.Add, shop.AddItem(name="Ann"))
    with kernel.override(Persistence, store):
        async with kernel:
            await kernel.relay.run_until_empty()
            assert await kernel.resolve(Topics).counts(["items"]) == {"items": 1}
    assert (await store.relay_store().counts())["pending"] == 0


def test_all_faults_of_all_declarations_are_told_before_anything_starts() -> None:
    with pytest.raises(CompileError) as caught:
        _ = Kernel.from_yaml(modules=[shop, faulty]).plans
    told = [(issue.code, issue.message, issue.remedy) for issue in caught.value.issues]
    assert [code for code, _, _ in told] == ["LOOM-CORE-002", "LOOM-CORE-114", "LOOM-CORE-104", "LOOM-CORE-104"]
    assert told[1][1:] == (
        "nothing is bound to Greeter, which Add(greeter: ...) asks for",
        "bind it: kernel.bind(Type, instance)",
    )
    assert told[2][1:] == ("Item field 'nane' does not exist", "did you mean 'name'?")
    assert told[3][1:] == ("command field 'nmae' does not exist", "did you mean 'name'?")


def test_a_service_is_replaced_in_one_line() -> None:
    class Loud(shop.Greeter):
        def greet(self, name: str) -> str:
            return name.upper()

    async def run(kernel: Kernel) -> str:
        async with kernel:
            return await kernel.invoke(shop.Add, shop.AddItem(name="Ann"))

    kernel = shop_kernel()
    with kernel.override(shop.Greeter, Loud()):
        assert asyncio.run(run(kernel)) == "ANN"
    assert kernel.resolve(shop.Greeter).greet("Ann") == "hello Ann"


async def test_a_port_cannot_be_replaced_under_a_running_kernel() -> None:
    async with shop_kernel() as kernel:
        fake = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
        refused = pytest.raises(LoomError, match="Persistence cannot be overridden while the kernel runs")
        with refused, kernel.override(Persistence, fake):
            pass


def test_what_nobody_bound_is_named() -> None:
    with pytest.raises(Unbound, match="nothing is bound to Greeter"):
        Kernel.from_yaml().resolve(shop.Greeter)


def test_a_misspelt_file_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("persistance: {adapter: memory}\ntransport: {adapter: kafak}\n")
    with pytest.raises(ConfigError) as caught:
        Kernel.from_yaml(file)
    assert [(issue.message, issue.remedy, issue.where.line) for issue in caught.value.issues] == [
        ("section 'persistance' does not exist", "did you mean 'persistence'?", 1),
        ("transport adapter 'kafak' does not exist", "did you mean 'kafka'?", 2),
    ]


def test_a_base_that_leaves_its_entity_open_gives_options_and_is_served_for_none() -> None:
    plans = Kernel.from_yaml(modules=[based]).plans.interfaces
    shown = {plan.name: [f"{route.method} {route.path.text}" for route in plan.routes] for plan in plans}
    assert shown == {
        "ItemInterface": ["GET /items", "GET /items/{sku}"],
        "NamedInterface": ["GET /named", "GET /named/{sku}"],
    }


def test_a_base_that_none_derives_from_is_an_issue() -> None:
    with pytest.raises(CompileError, match="LOOM-REST-002"):
        _ = Kernel.from_yaml(modules=[baseless]).plans


def test_what_is_wrong_with_a_use_case_behind_two_routes_is_told_once() -> None:
    with pytest.raises(CompileError) as raised:
        _ = Kernel.from_yaml(modules=[routed]).plans
    assert [issue.code for issue in raised.value.issues] == ["LOOM-CORE-109"]
    assert str(raised.value).startswith("1 compile issue\n")


@pytest.mark.parametrize(
    ("metrics", "taken"),
    [
        ("false", ["/health/live is taken by the health of the process"]),
        (
            "true",
            ["/health/live is taken by the health of the process", "/metrics is taken by observability.metrics.path"],
        ),
    ],
)
def test_a_route_that_would_never_be_reached_is_an_issue(metrics: str, taken: list[str]) -> None:
    with pytest.raises(CompileError) as caught:
        _ = Kernel.from_yaml(overrides=[f"observability.metrics.enabled={metrics}"], modules=[reserved]).plans
    assert [(issue.code, issue.message) for issue in caught.value.issues] == [("LOOM-REST-007", text) for text in taken]
