"""``frozen`` makes what ``attrs.frozen`` makes: the same answers of the same declaration."""

import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.domain.frozen import frozen

VALUES = st.one_of(
    st.none(), st.integers(0, 2), st.floats(allow_nan=False), st.text(max_size=1), st.tuples(st.integers(0, 1))
)


def declared(decorator: Callable[..., Any]) -> Any:
    @decorator
    class Value:
        first: object
        second: object = attrs.field(eq=False)
        third: object = attrs.field(repr=False)

    return Value


OURS, THEIRS = declared(frozen), declared(attrs.frozen)


@frozen(kw_only=True)
class Node:
    name: str
    inside: "tuple[Node, ...] | list[Node]" = ()


@frozen
class Leaf(Node):
    pass


@frozen
class Nothing:
    pass


@frozen
class Folded:
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folded) and other.text.casefold() == self.text.casefold()

    def __hash__(self) -> int:
        return hash(self.text.casefold())

    def __repr__(self) -> str:
        return f"<{self.text}>"


@given(st.tuples(VALUES, VALUES, VALUES), st.tuples(VALUES, VALUES, VALUES))
def test_values_compare_and_show_themselves_as_those_of_attrs(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    assert (OURS(*one) == OURS(*other)) == (THEIRS(*one) == THEIRS(*other))
    assert (OURS(*one) != OURS(*other)) == (THEIRS(*one) != THEIRS(*other))
    assert repr(OURS(*one)) == repr(THEIRS(*one))


@given(st.tuples(VALUES, VALUES, VALUES), VALUES)
def test_equal_values_have_one_hash(fields: tuple[object, ...], ignored: object) -> None:
    first, _, third = fields
    assert hash(OURS(*fields)) == hash(OURS(first, ignored, third))


def test_a_value_of_a_subclass_is_another_value() -> None:
    assert Node(name="a") != Leaf(name="a")
    assert Node(name="a").__eq__("a") is NotImplemented
    assert Leaf(name="a") == Leaf(name="a")


def test_values_without_fields_are_equal() -> None:
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1
    assert repr(Nothing()) == "Nothing()"


def test_methods_of_the_class_body_are_kept() -> None:
    assert {Folded("A"), Folded("a")} == {Folded("a")}
    assert repr(Folded("A")) == "<A>"


def test_a_value_with_a_field_that_has_no_hash_has_none() -> None:
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(Node(name="a", inside=[]))


def test_a_value_that_holds_itself_can_be_shown() -> None:
    inside: list[Node] = []
    node = Node(name="a", inside=inside)
    inside.append(node)
    assert repr(node) == "Node(name='a', inside=[...])"


def test_a_value_stays_as_it_was_made() -> None:
    node = Node(name="a", inside=(Leaf(name="b"),))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        node.name = "c"  # type: ignore[misc]
    assert attrs.evolve(node, name="c") == Node(name="c", inside=(Leaf(name="b"),))
    assert pickle.loads(pickle.dumps(node)) == node
