"""Load generators: what they are asked, what they report, and which one this machine has."""

import shutil
from collections.abc import Sequence
from typing import Protocol

import attrs


@attrs.frozen
class Call:
    """One HTTP request. A body is JSON."""

    method: str
    path: str
    body: bytes = b""

    def raw(self, port: int) -> bytes:
        """The request as it goes over the wire to a server on loopback."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


@attrs.frozen(kw_only=True)
class Burst:
    """What one burst of load found. Latencies are seconds; ``failed`` counts answers outside 2xx and lost ones."""

    answers: int
    seconds: float
    p50: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


class LoadGenerator(Protocol):
    """Protocol of load generators: keep-alive connections, each with one request under way at any time."""

    @property
    def name(self) -> str:
        """For the head of a report."""

    def burst(self, port: int, calls: Sequence[Call], *, connections: int, seconds: float) -> Burst:
        """Send the calls over and over, in their order across all connections, for so many seconds."""


def load_generator() -> LoadGenerator:
    """wrk where it is on PATH, else our own."""
    from benchmarks.load_own import OwnLoad
    from benchmarks.load_wrk import WrkLoad

    found = shutil.which("wrk")
    return WrkLoad(found) if found else OwnLoad()
