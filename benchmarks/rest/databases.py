"""Databases to compare on: for each a name, and a context that gives every program an empty database of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.cores import Cores, pinned
from benchmarks.rest.programs import MODULES
from tests.servers.postgres import PostgresServer, new_database


@contextmanager
def sqlite(cores: Cores) -> Iterator[dict[str, str]]:
    """A file for each program."""
    with tempfile.TemporaryDirectory(prefix="loom-bench-", dir=_fast_folder()) as folder:
        yield {program: f"sqlite+aiosqlite:///{folder}/{module}.db" for program, module in MODULES.items()}


@contextmanager
def postgresql(cores: Cores) -> Iterator[dict[str, str]]:
    """A database for each program on one server, which shares its core with the load generator."""
    with tempfile.TemporaryDirectory(prefix="loom-bench-", ignore_cleanup_errors=True) as folder:
        # The server runs as a user of its own under root, and has to enter the folder.
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder))
        with pinned(cores.rest):
            server.start()
        try:
            with ExitStack() as stack:
                yield {program: stack.enter_context(new_database(server.url)) for program in MODULES}
        finally:
            server.stop()


DATABASES = {"sqlite": sqlite, "postgresql": postgresql}


def _fast_folder() -> str | None:
    """Memory, where there is a file system of it: the disk would be measured otherwise, and not the programs."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
