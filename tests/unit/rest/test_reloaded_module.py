"""A module that is loaded again, as notebooks and development servers do, while classes of its first life are held."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.core import schema_of
from tests.unit.rest.rest_shop import NothingBound

SOURCE = """
from loom.core import entity, field, key, relation
from loom.rest import RestInterface

@entity(table="rl_halls")
class RlHall:
    id: int = key(autoincrement=True)
    seats: tuple["RlSeat", ...] = relation(foreign_key="hall_id")

@entity(table="rl_seats")
class RlSeat:
    id: int = key(autoincrement=True)
    hall_id: int = field(references="rl_halls.id")

class SeatInterface(RestInterface[RlSeat]):
    prefix = "/halls/{hall_id}/seats"
    auto = True
    parent = "hall_id"
"""


def test_names_lead_to_the_classes_of_the_last_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reloaded_halls.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("reloaded_halls")
    held = (module.RlHall, module.RlSeat, module.SeatInterface)
    for _ in range(2):
        issues = Issues()
        assert compile_interface(module.SeatInterface, issues, NothingBound()) is not None, issues.found
        assert schema_of(module.RlHall).relations[0].target is module.RlSeat
        importlib.reload(module)
    assert held[1] is not module.RlSeat
    monkeypatch.delitem(sys.modules, "reloaded_halls")
