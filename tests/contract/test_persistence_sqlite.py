"""SQLite keeps the contract of persistence."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence import PersistenceContract


class TestSqlitePersistence(PersistenceContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "store.db"
        self.url = f"sqlite+aiosqlite:///{self.file}"

    async def make_persistence(self, clock: FakeClock) -> SqlPersistence:
        return provide(SqlalchemySettings(url=self.url), codec=JsonCodec(), clock=clock)

    async def test_what_waits_is_counted_without_a_look_at_what_was_sent(self, persistence: SqlPersistence) -> None:
        """The outbox keeps what was sent, and whoever reads metrics asks every few seconds."""
        pending = persistence.relay_store().statements.pending.sql
        with closing(sqlite3.connect(self.file)) as connection:
            ((*_, plan),) = connection.execute(f"EXPLAIN QUERY PLAN {pending}")
        assert plan.startswith("SCAN loom_outbox USING INDEX ix_loom_outbox_waiting")
