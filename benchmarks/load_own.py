"""Our own load generator, for machines without wrk: asyncio on plain sockets, in a process of its own.

It parses just enough of an answer to know its status and where it ends, so that one core drives more than a Python
server on another core can answer.
"""

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

import attrs

from benchmarks.load import Burst, Call


@attrs.frozen
class OwnLoad:
    """Runs this module as a child process."""

    @property
    def name(self) -> str:
        return "our own (wrk is not on PATH)"

    def burst(self, port: int, calls: Sequence[Call], *, connections: int, seconds: float) -> Burst:
        order = {
            "port": port,
            "connections": connections,
            "seconds": seconds,
            "requests": [base64.b64encode(call.raw(port)).decode() for call in calls],
        }
        command = [sys.executable, "-m", "benchmarks.load_own"]
        done = subprocess.run(command, input=json.dumps(order), check=True, capture_output=True, text=True)
        return Burst(**json.loads(done.stdout))


@attrs.define
class _Tally:
    stop_at: float
    latencies: list[float] = attrs.field(factory=list)
    failed: int = 0


class _Client(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends again."""

    def __init__(self, requests: Iterator[bytes], tally: _Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._received = b""
        self._sent_at = 0.0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        now = time.perf_counter()
        self._received = b""
        self._tally.latencies.append(now - self._sent_at)
        self._tally.failed += not head.startswith(b"HTTP/1.1 2")
        if now < self._tally.stop_at:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        # Closed by the server, though a request was under way.
        self._tally.failed += not self._transport.is_closing() or exc is not None
        if not self.finished.done():
            self.finished.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


async def _run(port: int, connections: int, seconds: float, requests: Sequence[bytes]) -> Burst:
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    tally = _Tally(begin + seconds)
    shared = cycle(requests)
    clients = [
        (await loop.create_connection(lambda: _Client(shared, tally), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(client.finished for client in clients))
    latencies = sorted(tally.latencies)
    return Burst(
        answers=len(latencies),
        seconds=time.perf_counter() - begin,
        p50=latencies[len(latencies) // 2],
        p99=latencies[len(latencies) * 99 // 100],
        failed=tally.failed,
    )


def main() -> None:
    order = json.load(sys.stdin)
    order["requests"] = [base64.b64decode(text) for text in order["requests"]]
    print(json.dumps(attrs.asdict(asyncio.run(_run(**order)))))


if __name__ == "__main__":
    main()
