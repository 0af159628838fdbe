"""SQLite keeps the contract of relations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_on_delete import OnDeleteContract
from loom.testing.contracts.persistence_relations import RelationContract
from tests.contract.statement_count import statements_of


class TestSqliteRelations(RelationContract, OnDeleteContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"

    async def make_persistence(self, clock: FakeClock) -> SqlPersistence:
        return provide(SqlalchemySettings(url=self.url), codec=JsonCodec(), clock=clock)

    @contextmanager
    def counting(self, persistence: Persistence) -> Iterator[list[str] | None]:
        with statements_of(persistence) as sent:
            yield sent
