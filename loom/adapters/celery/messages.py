"""Job messages as what Celery's JSON takes, and back."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from loom.ports.jobs import JobMessage


def to_json(message: JobMessage) -> dict[str, Any]:
    """A dictionary of text and numbers; the payload's bytes in base64."""
    return {
        "id": str(message.id),
        "job": message.job,
        "payload": base64.b64encode(message.payload).decode("ascii"),
        "headers": dict(message.headers),
        "queue": message.queue,
        "attempt": message.attempt,
        "retries": message.retries,
        "timeout": message.timeout,
        "countdown": message.countdown,
        "priority": message.priority,
    }


def from_json(data: dict[str, Any]) -> JobMessage:
    """The message that ``to_json`` was given."""
    payload = base64.b64decode(data["payload"])
    return JobMessage(**{**data, "id": uuid.UUID(data["id"]), "payload": payload})
