"""The programs that the benchmark compares give the same answers; without that its ratios would mean nothing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest
from starlette.testclient import TestClient

from benchmarks.load import Call
from benchmarks.rest.asking import Answer, Ask
from benchmarks.rest.data import PAGE_SIZE, Amount
from benchmarks.rest.equality import differences
from benchmarks.rest.kinds import KINDS
from benchmarks.rest.programs import FASTAPI, FLOOR, LOOM, MODULES

AMOUNT = Amount(people=5, tickets=2 * PAGE_SIZE + 20)


def in_process(client: TestClient) -> Ask:
    def ask(call: Call) -> Answer:
        headers = {"content-type": "application/json"} if call.body else {}
        response = client.request(call.method, call.path, content=call.body or None, headers=headers)
        return Answer(response.status_code, response.headers["content-type"].partition(";")[0], response.content)

    return ask


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Mapping[str, Ask]]:
    with ExitStack() as stack:
        asks = {}
        for program, name in MODULES.items():
            module: Any = importlib.import_module(f"benchmarks.rest.programs.{name}")
            url = f"sqlite+aiosqlite:///{tmp_path}/{name}.db"
            module.seed(url, AMOUNT)
            asks[program] = in_process(stack.enter_context(TestClient(module.build(url))))
        yield asks


def test_the_programs_give_equal_answers(programs: Mapping[str, Ask]) -> None:
    calls = {
        kind: {program: kind.calls_of(program, ask, AMOUNT) for program, ask in programs.items()} for kind in KINDS
    }
    assert differences(calls, programs) == []
    # The walk through the list ended by itself, behind the last ticket.
    pages = next(calls[kind] for kind in KINDS if kind.name.startswith("list"))
    assert {program: len(found) for program, found in pages.items()} == {LOOM: 3, FASTAPI: 3, FLOOR: 3}


def test_an_answer_that_differs_is_told(programs: Mapping[str, Ask]) -> None:
    kind = next(kind for kind in KINDS if kind.name.startswith("create (POST)"))
    create = kind.calls(programs[LOOM], AMOUNT)[:1]
    unmasked = attrs.evolve(kind, masked=())
    found = differences({unmasked: dict.fromkeys(MODULES, create)}, programs)
    assert [line.split(" answers ")[0] for line in found] == ["create (POST): loom", "create (POST): loom"]
    assert "created_at" in found[0]


def test_a_request_that_fails_everywhere_alike_is_told(programs: Mapping[str, Ask]) -> None:
    missing = [Call("GET", "/ping/none")]
    found = differences({KINDS[0]: {LOOM: missing}}, programs)
    assert found[0].startswith("ping (no database): loom answers 404")
