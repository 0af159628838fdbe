"""What a deployment forgets about its flows is found before anything runs, and applications share no group."""

import sys
from types import ModuleType

import pytest

from loom.config.kernel import Kernel
from loom.core import CompileError, entity, event, key
from loom.streaming import Drain, FromTopic, IntoTable, Process, RecordStep, StreamFlow, StreamingRunner


@event(topic="ticks")
class Tick:
    n: int


@entity(table="known_ticks")
class KnownTick:
    n: int = key()


def forgotten() -> type:
    """An entity of a module that nobody discovers."""

    @entity(table="forgotten_ticks")
    class ForgottenTick:
        n: int = key()

    return ForgottenTick


FORGOTTEN = StreamFlow("ticks", FromTopic("ticks", payload=Tick), Process(IntoTable(forgotten())))
KNOWN = StreamFlow("ticks", FromTopic("ticks", payload=Tick), Process(IntoTable(KnownTick)))


def module_with(**members: object) -> ModuleType:
    module = ModuleType("flows_of_a_deployment")
    vars(module).update(members)
    return module


def codes(error: CompileError) -> list[str]:
    return [issue.code for issue in error.issues]


def test_an_entity_that_is_not_discovered_is_an_issue_of_the_deployment() -> None:
    """``loom check`` compiles the same: the store would know nothing of the table."""
    kernel = Kernel.from_yaml(modules=[module_with(flow=FORGOTTEN)])
    with pytest.raises(CompileError, match=r"ForgottenTick of .*, which is not discovered") as failure:
        _ = kernel.plans
    assert codes(failure.value) == ["LOOM-STREAM-024"]
    assert "app.discovery.include" in str(failure.value)


def test_an_entity_that_is_discovered_is_none() -> None:
    kernel = Kernel.from_yaml(modules=[sys.modules[__name__], module_with(flow=KNOWN)])
    kernel.declarations = type(kernel.declarations)(
        entities=kernel.declarations.entities, found={**kernel.declarations.found, "flows": (KNOWN,)}
    )
    assert [plan.name for plan in kernel.plans.flows] == ["ticks"]


def test_a_runner_over_a_kernel_asks_it_too() -> None:
    """The flow need not be discovered itself; what it writes has to be."""
    kernel = Kernel.from_yaml()
    with pytest.raises(CompileError) as failure:
        StreamingRunner.of(FORGOTTEN, kernel, lifespan=kernel.lifespan)
    assert codes(failure.value) == ["LOOM-STREAM-024"]


@pytest.mark.parametrize(
    ("overrides", "group"),
    [
        ([], "ticks"),
        (["app.name=shop"], "shop.ticks"),
        (["app.name=shop", "streaming.groups={ticks: old-ticks}"], "old-ticks"),
    ],
)
def test_the_group_of_a_flow_begins_with_the_name_of_the_application(overrides: list[str], group: str) -> None:
    """Two applications with a flow of one name do not take each other's records; a deployment may name the group."""
    assert StreamingRunner.from_yaml(KNOWN, overrides=overrides).flow.plan.group == group


def test_the_patience_of_a_flow_is_configured() -> None:
    assert StreamingRunner.from_yaml(KNOWN).flow.give_up_after == 600
    assert StreamingRunner.from_yaml(KNOWN, overrides=["streaming.give_up_after=5"]).flow.give_up_after == 5


class Listed:
    """A service that nobody binds."""


class NeedsList(RecordStep[Tick, Tick]):
    def __init__(self, listed: Listed) -> None:
        self.listed = listed

    def process(self, tick: Tick) -> Tick:
        return tick


def test_a_service_that_is_not_bound_is_an_issue_of_the_deployment() -> None:
    flow = StreamFlow("ticks", FromTopic("ticks", payload=Tick), Process(NeedsList, Drain()))
    with pytest.raises(CompileError, match="nothing is bound to Listed") as failure:
        _ = Kernel.from_yaml(modules=[module_with(flow=flow)]).plans
    assert codes(failure.value) == ["LOOM-STREAM-013"]
