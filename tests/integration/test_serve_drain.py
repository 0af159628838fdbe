"""``loom serve`` under load, told to end: no request that it accepted is cut."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
import pytest

from tests.servers.process import free_port

ROOT = Path(__file__).parents[2]


@attrs.define
class Served:
    """The process and its store."""

    process: subprocess.Popen[bytes]
    port: int
    database: Path
    log: Path

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def status(self, path: str) -> int:
        """The status of a GET over a connection of its own; 0 where nobody accepts it."""
        with closing(self.connect()) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except OSError:
                return 0

    def texts(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [text for (text,) in connection.execute("select text from entries")]


@contextmanager
def served(folder: Path, *, drain: float, timeout: int = 30) -> Iterator[Served]:
    port, database, log = free_port(), folder / "drain.db", folder / "log.txt"
    settings = [
        "app.discovery.include=[tests.integration.drain_shop]",
        "persistence.adapter=sqlalchemy",
        f"persistence.url=sqlite+aiosqlite:///{database}",
        f"rest.port={port}",
        f"rest.drain={drain}",
        f"rest.drain_timeout={timeout}",
    ]
    command = [sys.executable, "-c", "from loom.cli import main; main()", "serve"]
    command += [argument for setting in settings for argument in ("--set", setting)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    found = Served(process, port, database, log)
    try:
        deadline = time.monotonic() + 60
        while found.status("/health/ready") != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield found
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class Client(threading.Thread):
    """Sends one request after another over a connection that it keeps as long as it may.

    A ``polite`` one stops when it sees that the process is not ready; another one goes on until nobody accepts it.
    """

    def __init__(self, api: Served, name: str, not_ready: threading.Event, *, polite: bool) -> None:
        super().__init__(daemon=True)
        self.api, self.label, self.not_ready, self.polite = api, name, not_ready, polite
        self.answered: list[str] = []
        self.cut: list[str] = []

    def run(self) -> None:
        number = 0
        with closing(self.api.connect()) as connection:
            while not (self.polite and self.not_ready.is_set()):
                number += 1
                try:
                    if connection.sock is None:
                        connection.connect()
                except OSError:
                    return
                self._send(connection, f"{self.label} {number}")

    def _send(self, connection: http.client.HTTPConnection, text: str) -> None:
        try:
            body = json.dumps({"text": text, "seconds": 0.02})
            connection.request("POST", "/entries", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.cut.append(text)
            connection.close()
        else:
            assert answer.status == 201
            self.answered.append(text)


def test_under_load_every_accepted_request_is_answered(tmp_path: Path) -> None:
    with served(tmp_path, drain=1.0) as api:
        not_ready = threading.Event()
        polite = [Client(api, f"polite {n}", not_ready, polite=True) for n in range(4)]
        stubborn = [Client(api, f"stubborn {n}", not_ready, polite=False) for n in range(4)]
        for client in (*polite, *stubborn):
            client.start()
        deadline = time.monotonic() + 30
        while len(polite[0].answered) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        api.process.send_signal(signal.SIGTERM)
        # Readiness fails first, while the process lives and accepts.
        while api.status("/health/ready") != 503:
            assert time.monotonic() < deadline, api.log.read_text()
            time.sleep(0.01)
        alive = api.status("/health/live")
        not_ready.set()
        for client in (*polite, *stubborn):
            client.join(30)
        assert alive == 200
        assert api.process.wait(30) == 0, api.log.read_text()
    assert [client.cut for client in polite] == [[], [], [], []]
    answered = [text for client in (*polite, *stubborn) for text in client.answered]
    assert len(answered) > 40
    # Nothing was done that was not answered, and nothing answered that was not done. What a stubborn client saw cut
    # was a connection that nobody had accepted when the socket was closed.
    assert sorted(api.texts()) == sorted(answered)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_slow_request_is_answered_although_nothing_is_waited_for(tmp_path: Path, how: signal.Signals) -> None:
    with served(tmp_path, drain=0.0) as api:
        connection = api.connect()
        body = json.dumps({"text": "slow", "seconds": 1.0})
        connection.request("POST", "/entries", body, {"content-type": "application/json"})
        # The process answers another connection only after it has read what was sent before over this one.
        assert api.status("/health/live") == 200
        api.process.send_signal(how)
        answer = connection.getresponse()
        assert answer.status == 201
        assert json.loads(answer.read())["text"] == "slow"
        connection.close()
        assert api.process.wait(30) == 0, api.log.read_text()
    assert api.texts() == ["slow"]


def test_a_request_that_is_not_done_in_time_is_undone_and_told_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path, drain=0.0, timeout=1) as api:
        connection = api.connect()
        body = json.dumps({"text": "endless", "seconds": 60.0})
        headers = {"content-type": "application/json", "x-correlation-id": "try-1"}
        connection.request("POST", "/entries", body, headers)
        assert api.status("/health/live") == 200
        api.process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["content-type"] == "application/problem+json"
        told = json.loads(answer.read())
        assert (told["code"], told["correlation_id"]) == ("LOOM-UNAVAILABLE", "try-1")
        connection.close()
        assert api.process.wait(30) == 0, api.log.read_text()
    assert api.texts() == []
    assert "POST /entries was not done when its time was over" in api.log.read_text()
    assert "Traceback" not in api.log.read_text()
