"""A forbidden import is found and named; an allowed one is not."""

import grimp
import pytest
from importlinter import Contract

from tools.contracts import HomeContract, OnlyContract


def _graph(*imports: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for line, (importer, imported) in enumerate(imports, start=1):
        for module in (importer, imported):
            graph.add_module(module, is_squashed=not module.startswith("loom"))
        graph.add_import(importer=importer, imported=imported, line_number=line, line_contents="")
    return graph


def _faults(contract: Contract, graph: grimp.ImportGraph) -> list[tuple[str, str, str]]:
    faults: list[tuple[str, str, str]] = contract.check(graph, verbose=False).metadata["faults"]
    return faults


@pytest.fixture
def domain() -> OnlyContract:
    options = {"package": "loom.domain", "allowed": ["attrs", "loom.domain"]}
    return OnlyContract(name="domain", session_options={}, contract_options=options)


@pytest.fixture
def home() -> HomeContract:
    options = {"homes": ["sqlalchemy -> loom.adapters.sqlalchemy"]}
    return HomeContract(name="home", session_options={}, contract_options=options)


def test_domain_may_import_attrs_itself_and_the_standard_library(domain: OnlyContract) -> None:
    imports = [("loom.domain.a", name) for name in ("attrs", "loom.domain.b", "json", "collections.abc")]
    assert _faults(domain, _graph(*imports)) == []


@pytest.mark.parametrize("imported", ["sqlalchemy", "cattrs", "loom.ports.clock", "loom.domains"])
def test_domain_may_import_nothing_else(domain: OnlyContract, imported: str) -> None:
    assert _faults(domain, _graph(("loom.domain.a", imported))) == [("loom.domain.a", imported, "line 1")]


def test_a_library_is_at_home_in_its_own_adapter(home: HomeContract) -> None:
    assert _faults(home, _graph(("loom.adapters.sqlalchemy.tables", "sqlalchemy"))) == []


def test_a_library_away_from_home_is_named(home: HomeContract) -> None:
    graph = _graph(("loom.adapters.fastapi.app", "sqlalchemy"))
    assert _faults(home, graph) == [("loom.adapters.fastapi.app", "sqlalchemy", "line 1")]
