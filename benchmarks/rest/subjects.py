"""The programs that are compared, and each one as a running process on a core of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from benchmarks.cores import Cores, pinned
from benchmarks.load import Call
from benchmarks.rest.asking import Ask, over_http
from benchmarks.rest.data import Amount
from benchmarks.rest.programs import MODULES
from tests.servers.process import Process, free_port

_LOOK_AGAIN = 0.002
_PING = Call("GET", "/ping")


@attrs.frozen(kw_only=True)
class Running:
    """A program that serves. ``started_in`` is the time from the start of the process to its first 200, in seconds."""

    port: int
    pid: int
    started_in: float

    @property
    def ask(self) -> Ask:
        return over_http(self.port)


def seed(program: str, url: str, amount: Amount) -> None:
    """Create a program's tables and fill them."""
    subprocess.run([*_command("seed", program, url), str(amount.tickets)], check=True)


@contextmanager
def serving(program: str, url: str, folder: Path, cores: Cores) -> Iterator[Running]:
    """A program as a process, which ends with the block."""
    port = free_port()
    process = Process(program, [*_command("serve", program, url), str(port)], folder / f"{program}.log")
    begin = time.perf_counter()
    with pinned(cores.program):
        process.start(ready=lambda: _answers(port, process), timeout=60)
    try:
        yield Running(port=port, pid=process.pid or 0, started_in=time.perf_counter() - begin)
    finally:
        process.stop()


@contextmanager
def all_serving(urls: dict[str, str], folder: Path, cores: Cores) -> Iterator[dict[str, Running]]:
    """Every program at once. Those that are not asked do nothing."""
    with ExitStack() as stack:
        yield {program: stack.enter_context(serving(program, url, folder, cores)) for program, url in urls.items()}


def _command(action: str, program: str, url: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.rest.serve", action, MODULES[program], url]


def _answers(port: int, process: Process) -> bool:
    """Look until the program answers: ``Process`` would look ten times a second, which is too coarse to compare."""
    ask = over_http(port)
    while process.is_running:
        try:
            return ask(_PING).status == 200
        except OSError:
            time.sleep(_LOOK_AGAIN)
    return False
