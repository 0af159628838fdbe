"""What an operator sees when the database is wrong, away, locked or not the one that was meant."""

import asyncio
import enum
import re
import sqlite3
import sys
import traceback
from pathlib import Path

import attrs
import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import (
    CompileError,
    ConfigError,
    EngineFailure,
    InvalidInput,
    LoomError,
    MissingExtra,
    ScopeClosed,
    Unavailable,
)
from loom.domain.expr import col
from loom.domain.installation import how_to_add
from loom.domain.model import entity, field, key
from loom.domain.query import Query
from loom.testing.clock import FakeClock
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_client import execute
from tests.servers.process import free_port

SECRET = "hunter2"


@entity(table="notes")
class Note:
    id: int = key(autoincrement=True)
    text: str = field(max_length=20)


@entity(table="keyless")
class Keyless:
    text: str


def database(url: str, **options: object) -> SqlPersistence:
    settings = SqlalchemySettings(url=url, **options)  # type: ignore[arg-type]
    return provide(settings, codec=JsonCodec(), clock=FakeClock())


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'store.db'}"


def whole_text(error: LoomError) -> str:
    """Everything that a log would show of an error, its causes included."""
    return "".join(traceback.format_exception(error))


async def write(persistence: SqlPersistence, text: str) -> None:
    async with persistence.begin() as unit:
        await unit.repository(Note).create({"text": text})
        await unit.commit()


async def count(persistence: SqlPersistence) -> int:
    async with persistence.begin(read_only=True) as unit:
        return await unit.repository(Note).count()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("nonsense", "the address of the database is not a URL"),
        (f"postgresql://user:{SECRET}@host:port/name", "the address of the database is not a URL"),
        (f"mysql+pymysql://user:{SECRET}@host/name", "the driver 'mysql+pymysql' is not supported"),
        (f"postgresql+psycopg://user:{SECRET}@host/name", "the driver 'postgresql+psycopg' is not supported"),
        (f"postgresql://user:{SECRET}@host/name?sslmode=require", "the driver has no option 'sslmode'"),
        (f"postgresql://user:p@{SECRET}@host/name", "the address of the database has more than one '@'"),
        (f"postgresql://user:p@/{SECRET}@host/name", "the address of the database has more than one '@'"),
        ("sqlite+aiosqlite://", "SQLite in memory has one connection"),
        ("sqlite:///:memory:", "SQLite in memory has one connection"),
        ("sqlite:///file:store.db?uri=true", "file: addresses are not supported"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database(url)
    (issue,) = caught.value.issues
    assert (issue.code, issue.where.name) == ("LOOM-DB-001", "persistence.url")
    assert text in issue.message
    assert any(
        part in issue.remedy for part in ("sqlite+aiosqlite:///file.db", "adapter: memory", "'ssl'?", "the path", "%40")
    )
    assert SECRET not in whole_text(caught.value)


@pytest.mark.parametrize("url", ["sqlite:///store.db", "postgresql://host/name", "postgres://host/name"])
def test_the_driver_may_be_left_out(url: str) -> None:
    assert isinstance(database(url), SqlPersistence)


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(MissingExtra, match=re.escape(how_to_add("postgres"))):
        database("postgresql://host/name")


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    port = free_port()
    persistence = database(f"postgresql://user:{SECRET}@127.0.0.1:{port}/name?passfile={SECRET}")
    with pytest.raises(Unavailable) as caught:
        await persistence.start([Note])
    assert f"the database postgresql+asyncpg://user:***@127.0.0.1:{port}/name does not answer" in str(caught.value)
    assert caught.value.remedy == "start it, or correct persistence.url"
    assert SECRET not in whole_text(caught.value)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    persistence = database(sqlite_url(tmp_path / "absent"))
    with pytest.raises(Unavailable, match=r"store.db cannot be opened: there is no folder .*/absent. create it"):
        await persistence.start([Note])


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("certainly not a database, but long enough to be looked at" * 20)
    with pytest.raises(LoomError, match=r"store.db refused a statement .*file is not a database"):
        await database(sqlite_url(tmp_path)).start([Note])


async def test_model_faults_come_before_anything_is_created(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="Keyless has no key"):
        await database(sqlite_url(tmp_path)).start([Note, Keyless])
    assert not (tmp_path / "store.db").exists()


async def test_missing_tables_and_columns_are_named_all_together(tmp_path: Path) -> None:
    """A store that may not create tables says what is missing, and creates nothing."""
    with sqlite3.connect(tmp_path / "store.db") as file:
        file.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    file.close()
    with pytest.raises(ConfigError) as caught:
        await database(sqlite_url(tmp_path), create_tables=False).start([Note])
    found = {str(issue.where): (issue.code, issue.message) for issue in caught.value.issues}
    assert found["table notes"] == ("LOOM-DB-004", "Note has fields without a column: text")
    assert found["table loom_outbox"] == ("LOOM-DB-003", "OutboxRow has no table")
    system = ("loom_outbox", "loom_inbox", "loom_idempotency", "loom_jobs")
    assert set(found) == {"table notes", *(f"table {name}" for name in system)}


async def test_a_store_that_was_not_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScopeClosed, match="the store has not been started"):
        await count(database(sqlite_url(tmp_path)))


async def test_a_file_that_another_process_locks_is_unavailable_and_then_comes_back(tmp_path: Path) -> None:
    persistence = database(sqlite_url(tmp_path), lock_timeout=0.2)
    await persistence.start([Note])
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"database is locked.*let the other process finish"):
        await write(persistence, "waits")
    assert await count(persistence) == 0
    other.execute("COMMIT")
    other.close()
    await write(persistence, "goes on")
    assert await count(persistence) == 1
    await persistence.stop()


async def test_a_writing_unit_inside_another_is_an_error_and_no_deadlock(tmp_path: Path) -> None:
    persistence = database(sqlite_url(tmp_path), lock_timeout=0.2)
    await persistence.start([Note])
    async with persistence.begin() as outer:
        await outer.repository(Note).create({"text": "outer"})
        with pytest.raises(Unavailable, match="another unit of work has held SQLite's write lock"):
            await write(persistence, "inner")
        await outer.commit()
    assert await count(persistence) == 1
    await persistence.stop()


async def test_a_cancelled_unit_leaves_nothing_and_blocks_nobody(tmp_path: Path) -> None:
    persistence = database(sqlite_url(tmp_path), lock_timeout=5)
    await persistence.start([Note])
    reached = asyncio.Event()

    async def linger() -> None:
        async with persistence.begin() as unit:
            await unit.repository(Note).create({"text": "cancelled"})
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(linger())
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await write(persistence, "next")
    assert await count(persistence) == 1
    await persistence.stop()


@pytest.mark.postgres
async def test_a_refused_login_names_the_address_without_password(own_postgres: PostgresServer) -> None:
    url = f"postgresql://postgres:{SECRET}@127.0.0.1:{own_postgres.port}/nowhere"
    with pytest.raises(ConfigError) as caught:
        await database(url).start([Note])
    (issue,) = caught.value.issues
    assert issue.code == "LOOM-DB-002"
    assert 'database "nowhere" does not exist' in issue.message
    assert SECRET not in whole_text(caught.value)


@pytest.mark.postgres
async def test_a_killed_server_is_unavailable_and_then_comes_back(own_postgres: PostgresServer) -> None:
    """What was committed before is there; the pool finds its way back by itself."""
    persistence = database(own_postgres.url, connect_timeout=2)
    await persistence.start([Note])
    await write(persistence, "before")
    own_postgres.kill()
    with pytest.raises(Unavailable):
        await write(persistence, "during")
    own_postgres.start()
    await recovers(persistence)
    await write(persistence, "after")
    assert await count(persistence) == 2
    await persistence.stop()


@pytest.mark.postgres
async def test_too_few_connections_are_unavailable(fresh_postgres_url: str) -> None:
    persistence = database(fresh_postgres_url, pool_size=1, pool_timeout=0.2)
    await persistence.start([Note])
    async with persistence.begin() as unit:
        assert await unit.repository(Note).count() == 0
        with pytest.raises(Unavailable, match=r"no connection to .* became free in time"):
            await count(persistence)
    assert await count(persistence) == 0
    await persistence.stop()


@pytest.mark.postgres
async def test_a_table_that_vanishes_is_named(fresh_postgres_url: str) -> None:
    persistence = database(fresh_postgres_url)
    await persistence.start([Note])
    execute(fresh_postgres_url, "DROP TABLE notes")
    with pytest.raises(ConfigError, match='relation "notes" does not exist'):
        await count(persistence)
    await persistence.stop()


@pytest.mark.postgres
async def test_a_column_that_gets_another_type_meanwhile_costs_one_unit_and_no_restart(fresh_postgres_url: str) -> None:
    """A statement that was prepared gives other types than it did; outside a transaction nobody notices."""
    persistence = database(fresh_postgres_url)
    await persistence.start([Note])
    await write(persistence, "a")
    execute(fresh_postgres_url, "ALTER TABLE notes ALTER COLUMN text TYPE text")
    with pytest.raises(Unavailable, match="were changed meanwhile"):
        await write(persistence, "b")
    await write(persistence, "b")
    execute(fresh_postgres_url, "ALTER TABLE notes ALTER COLUMN text TYPE varchar(20)")
    async with persistence.begin(read_only=True) as unit:
        assert await unit.repository(Note).get(1) == Note(id=1, text="a")
    await persistence.stop()


@pytest.mark.postgres
async def test_more_values_than_a_statement_takes_are_told_and_the_server_is_not_blamed(
    fresh_postgres_url: str,
) -> None:
    persistence = database(fresh_postgres_url)
    await persistence.start([Note])
    async with persistence.begin(read_only=True) as unit:
        with pytest.raises(InvalidInput, match="holds more than 32767 values"):
            await unit.repository(Note).count(col("id").is_in(list(range(32_768))))
    await persistence.stop()


@pytest.mark.parametrize("ignore_case", [True, False])
async def test_a_pattern_that_is_too_long_for_sqlite_is_the_fault_of_whoever_gave_it(
    tmp_path: Path, ignore_case: bool
) -> None:
    persistence = database(sqlite_url(tmp_path))
    await persistence.start([Note])
    await write(persistence, "a")
    async with persistence.begin(read_only=True) as unit:
        with pytest.raises(InvalidInput, match="does not take"):
            await unit.repository(Note).count(col("text").like("a" * 50_001, ignore_case=ignore_case))
    await persistence.stop()


@attrs.frozen(kw_only=True)
class Place:
    city: str


class Mood(enum.StrEnum):
    GOOD = "good"


@entity(table="visits")
class Visit:
    id: int = key(autoincrement=True)
    mood: Mood = Mood.GOOD
    place: Place | None = None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("mood = 'bad'", "visits.mood holds .* 'bad' is none of"),
        ("place = '{\"town\": 1}'", "visits.place holds .*city: is requi"),
    ],
)
async def test_a_row_that_its_model_does_not_take_any_more_is_no_fault_of_who_reads_it(
    tmp_path: Path, change: str, told: str
) -> None:
    """The class has changed since it was stored, and nobody has migrated the rows."""
    persistence = database(sqlite_url(tmp_path))
    await persistence.start([Visit])
    async with persistence.begin() as unit:
        await unit.repository(Visit).create({})
        await unit.commit()
    with sqlite3.connect(tmp_path / "store.db") as other:
        other.execute(f"UPDATE visits SET {change}")
    other.close()
    async with persistence.begin(read_only=True) as unit:
        for read in (unit.repository(Visit).get(1), unit.repository(Visit).pick(Query(), ["mood", "place"])):
            with pytest.raises(EngineFailure, match=told):
                await read
    await persistence.stop()


async def recovers(persistence: SqlPersistence) -> None:
    """Wait until the store answers again, at most ten seconds."""
    async with asyncio.timeout(10):
        while True:
            try:
                await count(persistence)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return
