"""A server as a child process: started, waited for, killed and ended by its own process id."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs


class ServerError(RuntimeError):
    """A server of the test run did not start; the message ends with the last lines of its log."""


def free_port() -> int:
    """Find a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@attrs.define
class Process:
    """One server process, which may be started again with the same arguments."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _child: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Callable[[], bool], timeout: float) -> None:
        """Start it and return when `ready` holds."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*_end_with_parent(), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
            )
        self._wait(ready, timeout)

    def kill(self) -> None:
        """End it as a power cut would, with SIGKILL."""
        self._end(signal.SIGKILL, timeout=10)

    def stop(self, timeout: float = 20) -> None:
        """Ask it to end, and kill it when it does not."""
        try:
            self._end(self.stop_signal, timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, how: signal.Signals, timeout: float) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(how)
            self._child.wait(timeout)

    def _wait(self, ready: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.is_running:
                raise ServerError(f"{self.name} ended while starting:\n{self._tail()}")
            if ready():
                return
            time.sleep(0.1)
        self.kill()
        raise ServerError(f"{self.name} was not ready after {timeout:.0f} s:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


def _end_with_parent() -> list[str]:
    # A test run that is killed runs no finalizers; the kernel then ends its servers. The signal comes when the
    # thread that started the server ends, so a server is started from the main thread.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
