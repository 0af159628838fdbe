"""SQLite keeps the contract of persistence."""

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
        self.url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"

    async def make_persistence(self, clock: FakeClock) -> SqlPersistence:
        return provide(SqlalchemySettings(url=self.url), codec=JsonCodec(), clock=clock)
