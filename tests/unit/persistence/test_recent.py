"""What was made lately is found again, and the rest is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from loom.application.recent import Recent


def test_what_was_put_is_found() -> None:
    recent: Recent[str] = Recent(4)
    assert recent.get("a") is None
    assert recent.put("a", "x") == "x"
    assert recent.get("a") == "x"
    recent.put("a", "y")
    assert recent.get("a") == "y"


@given(st.lists(st.integers(0, 12), max_size=60))
def test_those_used_last_are_kept_and_never_too_many(keys: list[int]) -> None:
    recent: Recent[int] = Recent(8)
    for position, number in enumerate(keys):
        assert recent.get(number) in (None, number)
        recent.put(number, number)
        assert len(recent) <= 8
        for used in list(dict.fromkeys(reversed(keys[: position + 1])))[:4]:
            assert used in recent._young or used in recent._old
