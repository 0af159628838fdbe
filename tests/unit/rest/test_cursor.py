"""Cursors carry a position that a client cannot change."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.application.rest.cursor import Cursors
from loom.application.rest.problems import UnknownCursor

CURSORS = Cursors(b"secret")
positions = st.lists(st.none() | st.text())


def refused(cursors: Cursors, owner: str, text: str) -> bool:
    with pytest.raises(UnknownCursor):
        cursors.read(owner, text)
    return True


@given(st.text(), positions)
def test_what_was_issued_is_read_back(owner: str, position: list[str | None]) -> None:
    text = CURSORS.issue(owner, position)
    assert text.isascii()
    assert not set(text) & set("+/=&?#%")
    assert CURSORS.read(owner, text) == position


@given(positions, st.data())
def test_no_changed_bit_is_accepted(position: list[str | None], data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(CURSORS.issue("list", position) + "=="))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert refused(CURSORS, "list", base64.urlsafe_b64encode(raw).decode().rstrip("="))


@given(st.text())
def test_no_text_that_was_not_issued_is_accepted(text: str) -> None:
    assert refused(CURSORS, "list", text)


def test_a_cursor_of_another_list_is_refused() -> None:
    assert refused(CURSORS, "/rates", CURSORS.issue("/products", ("a", "1")))
    # Where the owner ends and the position begins is part of what is signed.
    assert refused(CURSORS, "list[", CURSORS.issue("list", ("a", "1")))


def test_a_cursor_of_another_secret_is_refused() -> None:
    assert refused(CURSORS, "list", Cursors(b"other").issue("list", ("a", "1")))


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(CURSORS)
