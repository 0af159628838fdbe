"""The order of steps: tables make it, lists only where tables leave it open."""

from typing import Any

import pytest

from loom.application.compile import Issues
from loom.application.etl.declare import ETLStep
from loom.application.etl.order import Node, Order, order_steps
from loom.application.etl.outline import Slot
from loom.application.etl.plan import Resource


def node(name: str, position: int, *, reads: str = "", writes: str = "") -> Node:
    """A step called ``name``; each letter is a table."""
    slot = Slot(step=_step(name), process="P", position=position)
    return Node(
        slot=slot,
        reads=tuple(Resource("table", letter) for letter in reads),
        writes=Resource("table", writes) if writes else None,
    )


def _step(name: str) -> type[ETLStep[Any]]:
    class Named(ETLStep[Any]):
        pass

    Named.__name__ = name
    return Named


def ordered(*nodes: Node) -> Order:
    issues = Issues()
    found = order_steps(nodes, Step, issues)
    assert issues.found == []
    assert found is not None
    return found


def refused(*nodes: Node) -> list[str]:
    issues = Issues()
    order_steps(nodes, Step, issues)
    return [issue.message for issue in issues.found]


class Step(ETLStep[Any]):
    """Stands for the pipeline in messages."""


def test_a_reader_waits_for_the_writer_wherever_it_stands() -> None:
    order = ordered(node("Read", 0, reads="t", writes="u"), node("Write", 1, writes="t"))
    assert order.names == ("P.Write", "P.Read")
    assert order.after == {"P.Read": ("P.Write",), "P.Write": ()}


def test_steps_with_nothing_in_common_wait_for_nobody() -> None:
    order = ordered(node("A", 0, reads="x", writes="t"), node("B", 1, reads="x", writes="u"))
    assert order.after == {"P.A": (), "P.B": ()}


def test_a_reader_between_two_writers_reads_what_the_first_wrote() -> None:
    order = ordered(node("First", 0, writes="t"), node("Read", 1, reads="t", writes="u"), node("Second", 2, writes="t"))
    assert order.names == ("P.First", "P.Read", "P.Second")
    assert order.after["P.Second"] == ("P.First", "P.Read")


def test_several_writers_keep_their_order() -> None:
    order = ordered(node("One", 0, writes="t"), node("Two", 1, writes="t"), node("Three", 2, writes="t"))
    assert order.names == ("P.One", "P.Two", "P.Three")


def test_a_step_may_write_what_it_reads() -> None:
    """It reads the version before: that is no cycle."""
    assert ordered(node("Grow", 0, reads="t", writes="t")).after == {"P.Grow": ()}
    order = ordered(node("Grow", 0, reads="t", writes="t"), node("Again", 1, reads="t", writes="t"))
    assert order.names == ("P.Grow", "P.Again")


def test_a_cycle_names_every_step_and_table_of_it() -> None:
    (message,) = refused(
        node("A", 0, reads="z", writes="x"), node("B", 1, reads="x", writes="y"), node("C", 2, reads="y", writes="z")
    )
    assert message.startswith("3 steps wait for each other: ")
    for part in ("P.A reads table 'z', which P.C writes", "P.B reads table 'x', which P.A writes"):
        assert part in message


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"writes": "t"}, {"writes": "t"}, "both write table 't'"),
        ({"writes": "t"}, {"reads": "t", "writes": "u"}, "P.B reads table 't', which P.A writes"),
    ],
)
def test_steps_of_one_parallel_group_must_be_independent(
    first: dict[str, str], second: dict[str, str], reason: str
) -> None:
    found = refused(node("A", 0, **first), node("B", 0, **second))
    assert found == [f"P.A and P.B stand in one parallel group, but {reason}"]
