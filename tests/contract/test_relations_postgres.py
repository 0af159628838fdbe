"""PostgreSQL keeps the contract of relations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
from tests.servers.postgres import new_database
from tests.servers.postgres_client import execute

EMPTY_ALL_TABLES = """
DO $$ DECLARE names text; BEGIN
    SELECT string_agg(quote_ident(tablename), ', ') INTO names FROM pg_tables WHERE schemaname = 'public';
    IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE'; END IF;
END $$
"""


@pytest.fixture(scope="module")
def database_url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url


@pytest.mark.postgres
class TestPostgresRelations(RelationContract, OnDeleteContract):
    @pytest.fixture(autouse=True)
    def _database(self, database_url: str) -> None:
        self.url = database_url
        execute(database_url, EMPTY_ALL_TABLES)

    async def make_persistence(self, clock: FakeClock) -> SqlPersistence:
        return provide(SqlalchemySettings(url=self.url), codec=JsonCodec(), clock=clock)

    @contextmanager
    def counting(self, persistence: Persistence) -> Iterator[list[str] | None]:
        with statements_of(persistence) as sent:
            yield sent
