"""The place of a declaration, which is looked up when it is looked at."""

import inspect
import pickle

import attrs
import pytest

from loom.application.compile import Issues, place_of
from loom.domain.errors import Place


class Declared:
    pass


def declared() -> None: ...


def line_of(target: type) -> int:
    return inspect.getsourcelines(target)[1]


EXPECTED = Place(name="Declared", file=__file__, line=line_of(Declared))


def test_a_class_and_a_function_stand_where_they_are_written() -> None:
    assert str(place_of(Declared)) == f"{__file__}:{EXPECTED.line} (Declared)"
    assert str(place_of(declared)) == f"{__file__}:{declared.__code__.co_firstlineno} (declared)"
    assert place_of(Declared()) == place_of(Declared)


def test_no_source_is_read_before_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[object] = []
    original = inspect.getsourcelines

    def spied(target: type) -> tuple[list[str], int]:
        reads.append(target)
        return original(target)

    monkeypatch.setattr(inspect, "getsourcelines", spied)
    place = place_of(Declared)
    assert (place.name, reads) == ("Declared", [])
    assert (place.file, place.line, reads) == (__file__, EXPECTED.line, [Declared])
    assert str(place)
    assert reads == [Declared]


def test_it_is_a_place_like_any_other() -> None:
    """Equal, as a key, printed, changed, in another process."""
    read, unread = EXPECTED, place_of(Declared)
    assert read == unread
    assert unread == read
    assert place_of(Declared) != attrs.evolve(EXPECTED, line=1)
    assert {EXPECTED, place_of(Declared)} == {EXPECTED}
    assert attrs.evolve(place_of(Declared), name="Other") == attrs.evolve(EXPECTED, name="Other")
    assert pickle.loads(pickle.dumps(place_of(Declared))) == EXPECTED
    assert repr(place_of(Declared)).endswith(repr(EXPECTED).removeprefix("Place"))
    with pytest.raises(AttributeError, match="column"):
        place_of(Declared).column  # type: ignore[attr-defined]  # noqa: B018


def test_a_class_without_source_has_a_name() -> None:
    made = type("Made", (), {"__module__": "nowhere"})
    assert place_of(made) == Place(name="Made")


def test_issues_take_the_declaration_or_its_place() -> None:
    issues = Issues()
    issues.add("LOOM-X-001", Declared, "is wrong")
    issues.add("LOOM-X-001", place_of(Declared), "is wrong")
    first, second = issues.found
    assert first == second
    assert str(first) == str(second) == f"LOOM-X-001 {EXPECTED}\n    is wrong"
