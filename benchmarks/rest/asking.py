"""Asking a program one question, to compare answers and to prepare the load."""

import http.client
import re
from collections.abc import Callable, Sequence

import attrs

from benchmarks.load import Call


@attrs.frozen
class Answer:
    """What must be the same in every program."""

    status: int
    content_type: str
    body: bytes

    def masked(self, fields: Sequence[str]) -> "Answer":
        """The answer without the text of fields that cannot be the same: times of writing, cursors."""
        body = self.body
        for name in fields:
            body = re.sub(rb'"%s":"[^"]*"' % name.encode(), rb'"%s":"*"' % name.encode(), body)
        return attrs.evolve(self, body=body)


Ask = Callable[[Call], Answer]


def over_http(port: int) -> Ask:
    """Ask a server on loopback, each time on a connection of its own."""

    def ask(call: Call) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"} if call.body else {}
            connection.request(call.method, call.path, call.body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers.get_content_type(), response.read())
        finally:
            connection.close()

    return ask
