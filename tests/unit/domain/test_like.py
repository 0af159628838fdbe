"""SQL patterns in Python: what they fit, and that no pattern takes a time that grows by a power."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.domain.expr_python import like_matcher, like_parts

PATTERNS = st.text("aB%_\\é\n", max_size=8)
TEXTS = st.text("aAbBé\n%_\\", max_size=10)


def fits_by_definition(pattern: str, text: str, *, ignore_case: bool) -> bool:
    """The regular expression that says the same; slow for some patterns, so only for short ones."""
    wildcards = {"%": ".*", "_": "."}
    body = "".join(wildcards.get(part) or re.escape(part[-1]) for part in like_parts(pattern))
    return re.fullmatch(body, text, re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else 0)) is not None


@given(PATTERNS, TEXTS, st.booleans())
def test_it_fits_what_its_definition_fits(pattern: str, text: str, ignore_case: bool) -> None:
    assert like_matcher(pattern, ignore_case=ignore_case)(text) == fits_by_definition(
        pattern, text, ignore_case=ignore_case
    )


@pytest.mark.timeout(20)
def test_many_wildcards_end() -> None:
    """By going back and forth this would take longer than the universe is old."""
    text = "a" * 10_000
    assert not like_matcher("%a" * 2_000 + "%b", ignore_case=True)(text)
    assert like_matcher("%a" * 2_000 + "%", ignore_case=False)(text)
    assert not like_matcher("%" + "_%a" * 1_000 + "%b%", ignore_case=False)(text)
