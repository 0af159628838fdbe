"""The command line prints every issue and says by its exit code whether there was one."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loom.cli import app

GOOD = """
from loom.core import UseCase, entity

@entity(table="products")
class Product:
    id: int

class CountProducts(UseCase[Product, int]):
    async def execute(self) -> int:
        return await self.main_repo.count()
"""
BAD = """
from loom.core import Input, LoadById, UseCase, entity

@entity(table="products")
class Product:
    sku: str

class Broken(UseCase[Product, int]):
    async def execute(self, product: Product = LoadById(Product, by="nowhere")) -> int:
        return 1
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application's folder, where the command is run."""
    (tmp_path / "good_for_cli.py").write_text(GOOD)
    (tmp_path / "bad_for_cli.py").write_text(BAD)
    for name in ("good", "bad"):
        (tmp_path / f"{name}.yaml").write_text(f"app: {{discovery: {{include: [{name}_for_cli]}}}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_check_without_files_checks_the_embedded_defaults() -> None:
    result = run("check")
    assert result.output == "no issues: models 0, interfaces 0, jobs 0, pipelines 0, flows 0\n"
    assert result.exit_code == 0


def test_check_finds_the_application_in_the_working_folder(folder: Path) -> None:
    """As the installed command, which does not have that folder on its path by itself."""
    command = [sys.executable, "-I", "-c", "from loom.cli import main; main()", "check", "good.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no issues: models 1, interfaces 0, jobs 0, pipelines 0, flows 0\n", "")
    assert done.returncode == 0


def test_check_prints_every_issue_of_the_declarations_and_fails(folder: Path) -> None:
    result = run("check", folder / "bad.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("2 compile issues\n")
    assert f"{folder}/bad_for_cli.py:4 (Product)" in result.stderr
    assert f"{folder}/bad_for_cli.py:8 (Broken)" in result.stderr


def test_check_prints_every_issue_of_the_configuration_and_fails(folder: Path) -> None:
    result = run("check", folder / "good.yaml", "--set", "jobs.adapter=celry", "--set", "transprt.x=1")
    assert result.exit_code == 1
    assert result.stderr == (
        "2 configuration issues\n"
        "LOOM-CONFIG-006 override (transprt)\n    section 'transprt' does not exist\n"
        "    remedy: did you mean 'transport'?\n"
        "LOOM-CONFIG-009 override (jobs.adapter)\n    jobs adapter 'celry' does not exist\n"
        "    remedy: did you mean 'celery'?\n"
    )


def test_config_show_prints_what_is_in_force(folder: Path) -> None:
    (folder / "more.yaml").write_text("rest: {cursor_secret: hunter2}\n")
    result = run("config", "show", folder / "good.yaml", folder / "more.yaml", "--set", "app.name=store")
    assert result.exit_code == 0
    assert "app:\n  name: store\n" in result.stdout
    assert "cursor_secret: '***'" in result.stdout
    assert "hunter2" not in result.stdout


def test_config_show_fails_with_every_issue(folder: Path) -> None:
    result = run("config", "show", folder / "goodd.yaml")
    assert result.exit_code == 1
    assert "cannot be read: No such file or directory" in result.stderr
    assert "remedy: did you mean 'good.yaml'?" in result.stderr


API = """
from loom.core import entity, key
from loom.rest import RestInterface

@entity(table="products")
class Product:
    id: int = key(autoincrement=True)
    name: str = ""

class ProductInterface(RestInterface[Product]):
    prefix = "/products"
    auto = True
    include = ("list", "delete")
    requires = ("products:use",)
"""
SECURED = """
app: {discovery: {include: [api_for_cli]}}
security: {adapter: memory, holders: [{token: secret, subject: ann}]}
"""


def test_routes_prints_the_expansion_and_who_may_call(folder: Path) -> None:
    (folder / "api_for_cli.py").write_text(API)
    (folder / "api.yaml").write_text(SECURED)
    result = run("routes", folder / "api.yaml")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("GET     /products       200  ListProduct(")
    assert first.endswith("Page[Product]  (generated)  (requires products:use)")
    assert second.startswith("DELETE  /products/{id}  204  DeleteProduct(")


def test_routes_fails_with_every_issue(folder: Path) -> None:
    (folder / "api_for_cli.py").write_text(API)
    result = run("routes", "--set", "app.discovery.include=[api_for_cli]")
    assert result.exit_code == 1
    assert "LOOM-REST-045" in result.stderr


def test_serve_fails_with_every_issue_before_it_listens(folder: Path) -> None:
    result = run("serve", folder / "bad.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("2 compile issues\n")


def serve_in_a_process(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    (folder / "api_for_cli.py").write_text(API.replace('    requires = ("products:use",)\n', ""))
    command = [sys.executable, "-c", "from loom.cli import main; main()", "serve"]
    for setting in ("app.discovery.include=[api_for_cli]", "observability.log.format=silent", *settings):
        command += ["--set", setting]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_serve_tells_in_one_line_why_the_application_does_not_start(folder: Path) -> None:
    store = ("persistence.adapter=sqlalchemy", "persistence.url=sqlite:///missing/shop.db")
    done = serve_in_a_process(folder, "rest.port=0", *store)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("LOOM-UNAVAILABLE the database sqlite+aiosqlite:///missing/shop.db cannot be opened: ")


def test_serve_tells_in_one_line_that_somebody_listens_there(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve_in_a_process(folder, f"rest.port={port}")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"LOOM-UNAVAILABLE 127.0.0.1:{port} cannot be listened on (")
    assert "correct rest.host and rest.port" in line
