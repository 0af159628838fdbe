"""Overrides that are plain words are read without YAML, and mean what YAML would make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.config.merging import load_merged
from loom.config.overrides import load_plain

KEYS = st.from_regex(r"[a-c_][a-c0-9-]{0,2}(\.[a-c0-9]{1,2}){0,2}", fullmatch=True)
VALUES = st.one_of(
    st.integers().map(str),
    st.sampled_from(
        ["yes", "No", "on", "null", "None", "true", "~", "1e3", "010", "1_000", "0x1f", ".inf", "NaN", "1:30"]
    ),
    st.sampled_from(
        ["2026-01-01", "a:", "a:b", "a: b", "a#b", "a #b", "[a]", "{a: 1}", "'a'", "!!int 1", "*a", "", " a "]
    ),
    st.sampled_from(["${oc.env:HOME}", "???", "postgresql+asyncpg://user:pw@host:5432/db?ssl=on&x=%20"]),
    st.text(st.sampled_from("abezEY01._+-:/@?&=%~<"), max_size=8),
)


@given(st.lists(st.tuples(KEYS, VALUES).map("=".join), max_size=4))
def test_what_is_read_without_yaml_is_what_yaml_reads(overrides: list[str]) -> None:
    plain = load_plain(overrides)
    assert plain is None or plain == load_merged((), overrides)


@pytest.mark.parametrize("value", ["sqlite+aiosqlite:////tmp/store.db", "warning", "10", "0", "pg://u:p@h:1/db?a=b"])
def test_words_addresses_and_numbers_need_no_yaml(value: str) -> None:
    assert load_plain([f"a.b={value}", "a.c=1"]) is not None


@pytest.mark.parametrize(
    "overrides", [["a.b=yes"], ["a.b=[1]"], ["a.b=${x}"], ["a.b=1.5"], ["a.b=1", "a=1"], ["a=1", "a.b=1"], ["a b"]]
)
def test_all_else_is_left_to_yaml(overrides: list[str]) -> None:
    assert load_plain(overrides) is None
