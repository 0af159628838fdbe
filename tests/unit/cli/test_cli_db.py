"""``loom db`` makes and migrates the tables of the configured database, and says what it did."""

import sqlite3
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loom.cli import app

SHOP = """
from loom.core import entity

@entity(table="products")
class Product:
    id: int
    name: str = ""
"""
CONFIG = """
app: {discovery: {include: [shop_for_db]}}
persistence: {adapter: sqlalchemy, url: "sqlite+aiosqlite:///shop.db", create_tables: false}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application's folder, where the commands are run."""
    (tmp_path / "shop_for_db.py").write_text(SHOP)
    (tmp_path / "shop.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop_for_db", raising=False)
    return tmp_path


def columns(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "shop.db")
    try:
        return {row[1] for row in connection.execute("PRAGMA table_info(products)")}
    finally:
        connection.close()


def test_create_makes_the_tables_once(folder: Path) -> None:
    first = run("create", "shop.yaml")
    assert first.exit_code == 0
    assert "created products\n" in first.output
    assert columns(folder) == {"id", "name"}
    assert run("create", "shop.yaml").output == "nothing to create\n"


def test_a_difference_is_written_and_applied(folder: Path) -> None:
    assert run("upgrade", "shop.yaml").output == "nothing to apply\n"
    written = run("diff", "shop.yaml", "-m", "First release")
    (file,) = (folder / "migrations").glob("*_first_release.py")
    assert written.output == f"wrote {file}\n"
    assert columns(folder) == set()
    assert run("upgrade", "shop.yaml").output == f"applied {file.name}\n"
    assert columns(folder) == {"id", "name"}
    assert run("diff", "shop.yaml").output == "no differences\n"


def test_a_difference_waits_for_what_was_written_before(folder: Path) -> None:
    run("diff", "shop.yaml")
    result = run("diff", "shop.yaml")
    assert result.exit_code == 1
    assert "loom db upgrade applies" in result.output


def test_a_table_without_a_model_is_told(folder: Path) -> None:
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute("CREATE TABLE theirs (id INTEGER)")
    connection.close()
    run("create", "shop.yaml")
    assert "table theirs has no model; it stays" in run("diff", "shop.yaml").output


def test_a_store_without_tables_says_so(folder: Path) -> None:
    (folder / "memory.yaml").write_text("app: {discovery: {include: [shop_for_db]}}\n")
    result = run("upgrade", "memory.yaml")
    assert result.exit_code == 1
    assert "the memory store has no tables to migrate" in result.output


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("op.execute('DELETE FROM nowhere')", "OperationalError: no such table: nowhere"),
        ("raise RuntimeError('not today')", "RuntimeError: not today"),
        ("op.execute(", "SyntaxError: '(' was never closed"),
    ],
)
def test_a_file_that_fails_is_told_with_its_line_and_nothing_of_it_stays(folder: Path, line: str, told: str) -> None:
    run("diff", "shop.yaml", "-m", "first")
    (file,) = (folder / "migrations").glob("*_first.py")
    kept = file.read_text()
    file.write_text(kept.replace("    # ### end Alembic commands ###", f"    {line}", 1))
    number = file.read_text().splitlines().index(f"    {line}") + 1
    result = run("upgrade", "shop.yaml")
    assert (result.exit_code, columns(folder)) == (1, set())
    _, place, message, _ = result.output.splitlines()
    assert place == f"LOOM-DB-005 {file}:{number} (migrations)"
    assert message.strip().startswith(told)


def test_files_that_are_gone_are_missed(folder: Path) -> None:
    """A database that has been migrated is not up to date because the files are looked for in a wrong folder."""
    run("diff", "shop.yaml", "-m", "first")
    run("upgrade", "shop.yaml")
    result = run("upgrade", "shop.yaml", "--set", "persistence.migrations=elsewhere")
    assert result.exit_code == 1
    assert f"migrated by files that are not in {folder / 'elsewhere'}" in result.output
    (first,) = (folder / "migrations").glob("*_first.py")
    later = (
        first.read_text()
        .replace("revision = '", "revision = 'f", 1)
        .replace("down_revision = None", "down_revision = 'x'")
    )
    first.unlink()
    (folder / "migrations" / "20260101_later.py").write_text(later)
    result = run("upgrade", "shop.yaml")
    assert result.exit_code == 1
    assert "Revision x referenced from x -> " in result.output


def test_a_folder_that_cannot_be_made_is_told() -> None:
    result = run("diff", "shop.yaml", "--set", "persistence.migrations=shop.yaml")
    assert result.exit_code == 1
    assert "the folder shop.yaml cannot be made: File exists" in result.output
