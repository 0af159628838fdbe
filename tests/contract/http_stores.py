"""The shop's API over each store, for tests that import these fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.ports.persistence import Persistence
from tests.contract.http_api import Api, make_store, serve
from tests.servers.postgres import new_database
from tests.servers.postgres_client import execute

EVERY_STORE = ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
_EMPTY_ALL_TABLES = """
DO $$ DECLARE names text; BEGIN
    SELECT string_agg(quote_ident(tablename), ', ') INTO names FROM pg_tables WHERE schemaname = 'public';
    IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE'; END IF;
END $$
"""


@pytest.fixture(scope="module")
def shop_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database on PostgreSQL for the tests of one module."""
    with new_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture(params=EVERY_STORE)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Persistence:
    """A store of each kind, empty."""
    if request.param != "postgresql":
        return make_store(request.param, tmp_path)
    url: str = request.getfixturevalue("shop_database")
    execute(url, _EMPTY_ALL_TABLES)
    return provide(SqlalchemySettings(url=url), codec=JsonCodec(), clock=SystemClock())


@pytest.fixture
async def every_api(any_store: Persistence) -> AsyncIterator[Api]:
    """The shop's API over a store of each kind."""
    async with serve(any_store) as served:
        yield served
