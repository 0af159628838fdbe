"""Finding the application of a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from loom.adapters.fastapi.table import RouteTable
from loom.application.rest.paths import PathTemplate

PATHS = ["/a", "/a/b", "/a/{x}", "/a/{x}/c", "/a/b/{y}/e", "/{z}/b/d", "/{z}/{w}/{v}/f"]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotImplementedError


TABLE = RouteTable((PathTemplate(path), application) for path in PATHS)


def found(path: str, **scope: Any) -> tuple[str, dict[str, str]] | None:
    match, child = TABLE.matches({"type": "http", "path": path, **scope})
    return (child["route"].path, child["path_params"]) if match is Match.FULL else None


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/a", "/a", {}),
        ("/a/b", "/a/b", {}),
        ("/a/q", "/a/{x}", {"x": "q"}),
        ("/a/q/c", "/a/{x}/c", {"x": "q"}),
        # The fixed branch leads nowhere here, so the parameter is tried after it.
        ("/a/b/c", "/a/{x}/c", {"x": "b"}),
        ("/a/b/q/e", "/a/b/{y}/e", {"y": "q"}),
        ("/a/b/d", "/{z}/b/d", {"z": "a"}),
        ("/a/b/q/f", "/{z}/{w}/{v}/f", {"z": "a", "w": "b", "v": "q"}),
    ],
)
def test_fixed_segments_win_over_parameters(path: str, template: str, values: dict[str, str]) -> None:
    assert found(path) == (template, values)


SEGMENTS = st.sampled_from(["a", "b", "{x}"])


@given(
    st.sets(st.lists(SEGMENTS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12),
    st.lists(st.sampled_from(["a", "b", "q", ""]), min_size=1, max_size=4),
)
def test_the_first_fixed_segment_decides(shapes: set[tuple[str, ...]], asked: list[str]) -> None:
    """What is found is the one template that fits best, whatever else is in the table, with its own parameters."""
    templates = {shape: "/" + "/".join(_named(shape)) for shape in shapes}
    table = RouteTable((PathTemplate(text), application) for text in templates.values())
    fitting = [shape for shape in shapes if len(shape) == len(asked) and all(map(_fits, shape, asked))]
    match, child = table.matches({"type": "http", "path": "/" + "/".join(asked)})
    assert (match is Match.FULL) == bool(fitting)
    if fitting:
        best = max(fitting, key=lambda shape: [segment != "{x}" for segment in shape])
        assert child["route"].path == templates[best]
        values = {
            f"x{at}": text for at, (segment, text) in enumerate(zip(best, asked, strict=True)) if segment == "{x}"
        }
        assert child["path_params"] == values


def _named(shape: tuple[str, ...]) -> list[str]:
    return [f"{{x{at}}}" if segment == "{x}" else segment for at, segment in enumerate(shape)]


def _fits(segment: str, text: str) -> bool:
    return text != "" if segment == "{x}" else segment == text


@pytest.mark.parametrize("path", ["", "/", "a", "/b", "/a/", "/a//c", "/a/q/", "/a/q/c/", "//a", "/a/b/c/d/e"])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert found(path) is None


def test_the_path_is_taken_below_the_mount() -> None:
    assert found("/api/a/q", root_path="/api") == ("/a/{x}", {"x": "q"})


@pytest.mark.parametrize("path", ["/apis/a/q", "/apia/q", "/api2/a", "/api"])
def test_a_path_that_only_begins_like_the_mount_is_not_below_it(path: str) -> None:
    assert found(path, root_path="/api") is None


def test_web_sockets_are_left_to_others() -> None:
    assert TABLE.matches({"type": "websocket", "path": "/a"})[0] is Match.NONE
