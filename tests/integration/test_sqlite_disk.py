"""SQLite on a disk that is full, or where it may not write: nothing is half written, and it comes back.

Served over HTTP the same is in ``test_http_crash``.
"""

import os
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import Unavailable
from loom.domain.model import entity, field, key
from loom.domain.query import Query
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_outbox import record

LINE = "x" * 1000


@entity(table="pages")
class Sheet:
    id: int = key(autoincrement=True)
    text: str = field(max_length=1000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest_asyncio.fixture
async def store(file: Path) -> AsyncIterator[SqlPersistence]:
    opened = open_store(file)
    await opened.start([Sheet])
    yield opened
    await opened.stop()


def open_store(file: Path) -> SqlPersistence:
    return provide(SqlalchemySettings(url=f"sqlite+aiosqlite:///{file}"), codec=JsonCodec(), clock=FakeClock())


async def write(store: SqlPersistence, lines: int) -> None:
    """A unit of work with rows and a letter in the outbox."""
    async with store.begin() as unit:
        await unit.repository(Sheet).create_many([{"text": LINE}] * lines)
        await unit.outbox.add([record("k")])
        await unit.commit()


async def counted(store: SqlPersistence) -> tuple[int, int]:
    async with store.begin(read_only=True) as unit:
        sheets = [sheet async for sheet in unit.repository(Sheet).stream(Query(limit=None))]
    return len(sheets), (await store.relay_store().counts())["pending"]


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file of this process grows beyond a size in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("lines", [1, 2000])
async def test_on_a_full_disk_a_unit_of_work_is_kept_whole_or_not_at_all(
    store: SqlPersistence, file: Path, lines: int
) -> None:
    """Small units until the disk is full, or one that is larger than what is left of it."""
    written = 0
    with small_disk(500_000):
        with pytest.raises(Unavailable, match="make room on the disk of the file"):  # noqa: PT012 - how many is measured
            while written < 2000:
                await write(store, lines)
                written += 1
        assert await counted(store) == (written * lines, written)
    await write(store, 1)
    assert await counted(store) == (written * lines + 1, written + 1)
    with closing(sqlite3.connect(file)) as look:
        assert look.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_file_that_may_not_be_written_can_still_be_read(store: SqlPersistence, file: Path) -> None:
    await write(store, 1)
    await store.stop()
    with read_only(file):
        await store.start([Sheet])
        with pytest.raises(Unavailable, match="let this process write the file and its folder"):
            await write(store, 1)
        assert await counted(store) == (1, 1)
        await store.stop()
    await store.start([Sheet])
    await write(store, 1)
    assert await counted(store) == (2, 2)


async def test_a_new_file_on_a_full_disk_is_said_at_the_start(file: Path) -> None:
    opened = open_store(file)
    with small_disk(8192), pytest.raises(Unavailable, match="make room on the disk of the file"):
        await opened.start([Sheet])
    await opened.start([Sheet])
    await write(opened, 1)
    assert await counted(opened) == (1, 1)
    await opened.stop()


@contextmanager
def read_only(file: Path) -> Iterator[None]:
    """Nobody may write the file. Permissions do not bind root, but the version that the file says it needs does."""
    if os.geteuid():
        file.chmod(0o444)
        try:
            yield
        finally:
            file.chmod(0o644)
        return
    with file.open("r+b") as raw:
        raw.seek(18)
        before = raw.read(1)
        raw.seek(18)
        raw.write(b"\x03")
        raw.flush()
        try:
            yield
        finally:
            raw.seek(18)
            raw.write(before)
