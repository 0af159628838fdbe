"""The parts of the benchmarks that measure: ratios, tables, and our own load generator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Call
from benchmarks.load_own import OwnLoad
from benchmarks.load_wrk import lua_text
from benchmarks.ratios import Ratio, ratio
from benchmarks.tables import table


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(404 if self.path == "/missing" else 200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200 if body == b'{"a":1}' else 400)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base calls it so
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_our_own_generator_counts_answers_and_failures(port: int) -> None:
    calls = [Call("GET", "/ping"), Call("POST", "/ping", b'{"a":1}'), Call("GET", "/missing")]
    burst = OwnLoad().burst(port, calls, connections=3, seconds=0.2)
    assert burst.answers >= 3
    # Each third call fails; the last turn may have ended anywhere.
    assert burst.failed in (burst.answers // 3, burst.answers // 3 + 1)
    assert 0 < burst.p50 <= burst.p99


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    found = ratio([2.0, 9.0, 6.0], [1.0, 3.0, 3.0])
    assert (found.values, found.middle) == ((2.0, 3.0, 2.0), 2.0)


def test_a_ratio_settles_when_more_rounds_do_not_move_its_median() -> None:
    assert Ratio((2.0, 2.01, 2.0, 1.99)).settled
    assert not Ratio((2.0, 2.01, 2.0)).settled
    assert not Ratio((1.0, 3.0, 2.0, 3.0)).settled


def test_any_request_can_stand_in_a_script() -> None:
    assert lua_text(b'a"\\\r\n\xe4') == r'"a\034\092\013\010\228"'


def test_a_table_is_aligned() -> None:
    assert table(["name", "x"], [["ping", "1.00"]]).splitlines() == [
        "| name |    x |",
        "| ---- | ---: |",
        "| ping | 1.00 |",
    ]
