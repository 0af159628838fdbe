"""Clients that place orders as fast as they are answered, while something is done to the server."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

import attrs

CLIENTS = 4
PATIENCE = 60.0


@attrs.frozen
class Refusal:
    """An answer that is not 201."""

    status: int
    headers: dict[str, str]
    body: bytes


@attrs.define(eq=False)
class OrderLoad:
    """Clients at work as long as the context lasts. A connection that breaks is opened again.

    Attributes:
        acknowledged: the orders that were answered 201.
        refused: the other answers.
        cut: how many requests had no answer at all.
    """

    port: int
    acknowledged: set[str] = attrs.field(factory=set, init=False)
    refused: list[Refusal] = attrs.field(factory=list, init=False)
    cut: int = attrs.field(default=0, init=False)
    text: str = "a pen"
    _over: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list, init=False)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._work, name=f"client-{n}") for n in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds, while the clients go on."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
            time.sleep(0.01)

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more orders are acknowledged."""
        wanted = len(self.acknowledged) + count
        self.wait_for(lambda: len(self.acknowledged) >= wanted, f"{count} more orders acknowledged")

    def _work(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                while not self._over.is_set():
                    self._place(connection)
            except (OSError, http.client.HTTPException):
                self.cut += 1
                # Nobody listens for a while: a client that asks at once only takes the machine's time.
                self._over.wait(0.02)
            finally:
                connection.close()

    def _place(self, connection: http.client.HTTPConnection) -> None:
        order = str(uuid.uuid4())
        body = json.dumps({"id": order, "text": self.text})
        connection.request("POST", "/orders", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 201:
            self.acknowledged.add(order)
        else:
            headers = {name.lower(): value for name, value in answer.getheaders()}
            self.refused.append(Refusal(answer.status, headers, content))
