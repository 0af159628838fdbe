"""Discovery imports what the configuration names, collects each declaration once, and tells every wrong name."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.application.compile import Issues
from loom.config.discovery import Declarations, discover
from loom.config.loading import load
from loom.config.sections import Discovery
from loom.domain.errors import ConfigError
from tests.unit.config.config_fakes import configured, told, write

PRODUCTS = """
from loom.core import UseCase, command, entity

@entity(table="products")
class Product:
    id: int

@command
class Create:
    id: int

class _Base(UseCase[Product, None]):
    pass

class CreateProduct(_Base):
    async def execute(self) -> None: ...
"""
API = """
from shop_for_discovery.products import CreateProduct, Product
from loom.application.rest.declare import RestInterface

class ProductInterface(RestInterface[Product]):
    prefix = "/products"

number = 5
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of an application, on the path for one test."""
    package = tmp_path / "shop_for_discovery"
    (package / "web").mkdir(parents=True)
    write(package, "__init__.py", "")
    write(package, "products.py", PRODUCTS)
    write(package / "web", "__init__.py", "")
    write(package / "web", "api.py", API)
    write(package, "__main__.py", "raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.startswith("shop_for_discovery")]:
        del sys.modules[name]


def found(*include: str, mode: str = "modules") -> dict[str, list[str]]:
    issues = Issues()
    declarations = discover(Discovery(mode=mode, include=include), issues)  # type: ignore[arg-type]  # a literal
    assert issues.found == []
    return names(declarations)


def names(declarations: Declarations) -> dict[str, list[str]]:
    listed = {"entities": declarations.entities, **declarations.found}
    return {kind: [value.__name__ for value in values] for kind, values in listed.items() if values}


def issues_of(folder: Path, *include: str, mode: str = "modules") -> list[tuple[str, str, str, str]]:
    lines = "".join(f"      - {name}\n" for name in include)
    file = write(folder, "app.yaml", f"app:\n  discovery:\n    mode: {mode}\n    include:\n{lines}")
    loaded, issues = load(file), Issues()
    discover(configured(file).app.discovery, issues, loaded)
    return told(ConfigError(issues.found), folder)


ALL = {"entities": ["Product"], "use_cases": ["CreateProduct"], "interfaces": ["ProductInterface"]}


@pytest.mark.usefixtures("shop")
def test_a_package_is_searched_with_everything_below_it() -> None:
    """Base classes marked by an underscore are not declarations, and ``__main__`` is not run."""
    assert found("shop_for_discovery") == ALL


@pytest.mark.usefixtures("shop")
def test_what_is_reached_twice_is_found_once() -> None:
    assert found("shop_for_discovery.web", "shop_for_discovery", "shop_for_discovery.products") == ALL


@pytest.mark.usefixtures("shop")
def test_a_module_gives_what_it_declares_and_not_what_it_imports() -> None:
    assert found("shop_for_discovery.web.api") == {"interfaces": ["ProductInterface"]}


@pytest.mark.usefixtures("shop")
def test_a_manifest_gives_exactly_what_it_lists() -> None:
    listed = found("shop_for_discovery.products:Product", "shop_for_discovery.web.api:CreateProduct", mode="manifest")
    assert listed == {"entities": ["Product"], "use_cases": ["CreateProduct"]}


EMPTY = "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"


def test_every_wrong_name_is_told_with_its_place(shop: Path) -> None:
    """A misspelt module, a misspelt package, one that nobody knows, and some that fail while they are imported."""
    write(shop, "broken.py", "import json\n\nvalue = 1 / 0\n")
    write(shop, "called.py", "import json\n\nvalue = json.loads(b'')\n")
    write(shop, "needy.py", "import absent_lib\n")
    write(shop, "typed.py", "\ndef price(:\n")
    include = ["shop_for_discovry.products", "shop_for_discovery.product", "zzz_nowhere", "shop_for_discovery"]
    assert issues_of(shop.parent, *include) == [
        (
            "LOOM-CONFIG-012",
            "app.yaml:5 (app.discovery.include[0])",
            "module 'shop_for_discovry' does not exist",
            "did you mean 'shop_for_discovery'?",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:6 (app.discovery.include[1])",
            "module 'shop_for_discovery.product' does not exist",
            "did you mean 'shop_for_discovery.products'?",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:7 (app.discovery.include[2])",
            "module 'zzz_nowhere' does not exist",
            "is it installed, or its folder on PYTHONPATH?",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:8 (app.discovery.include[3], shop_for_discovery/broken.py:3)",
            "module 'shop_for_discovery.broken' cannot be imported: ZeroDivisionError: division by zero",
            "",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:8 (app.discovery.include[3], shop_for_discovery/called.py:3)",
            f"module 'shop_for_discovery.called' cannot be imported: {EMPTY}",
            "",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:8 (app.discovery.include[3], shop_for_discovery/needy.py:1)",
            "module 'shop_for_discovery.needy' cannot be imported: ModuleNotFoundError: No module named 'absent_lib'",
            "",
        ),
        (
            "LOOM-CONFIG-012",
            "app.yaml:8 (app.discovery.include[3], shop_for_discovery/typed.py:2)",
            "module 'shop_for_discovery.typed' cannot be imported: SyntaxError: invalid syntax (typed.py, line 2)",
            "",
        ),
    ]


def test_a_manifest_tells_what_is_missing_and_what_is_no_declaration(shop: Path) -> None:
    include = [
        "shop_for_discovery.products:Produkt",
        "shop_for_discovery.web.api:number",
        "shop_for_discovery.products",
    ]
    assert issues_of(shop.parent, *include, mode="manifest") == [
        (
            "LOOM-CONFIG-013",
            "app.yaml:5 (app.discovery.include[0])",
            "module 'shop_for_discovery.products' has no 'Produkt'",
            "did you mean 'shop_for_discovery.products:Product'?",
        ),
        (
            "LOOM-CONFIG-014",
            "app.yaml:6 (app.discovery.include[1])",
            "'shop_for_discovery.web.api:number' is no declaration",
            "declarations are: entities, use_cases, interfaces, jobs, pipelines, flows",
        ),
        (
            "LOOM-CONFIG-014",
            "app.yaml:7 (app.discovery.include[2])",
            "'shop_for_discovery.products' does not name a declaration",
            "write module:attribute",
        ),
    ]
