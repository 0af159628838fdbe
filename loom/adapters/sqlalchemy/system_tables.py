"""The tables that loom keeps beside those of the models: outbox, inbox, answers to idempotency keys, job states.

They are models like any other, so that their values are kept and checked in the same way.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from loom.adapters.sqlalchemy.tables import Catalogue
from loom.domain.model import entity, field, key


@entity(table="loom_outbox")
class OutboxRow:
    position: int = key(autoincrement=True)
    id: uuid.UUID = field(unique=True)
    kind: str
    destination: str
    type: str
    key: str
    payload: bytes
    headers: dict[str, str]
    created_at: dt.datetime
    attempts: int = 0
    hidden_until: dt.datetime | None = None
    sent_at: dt.datetime | None = None
    error: str | None = None


@entity(table="loom_inbox")
class InboxRow:
    consumer: str = key()
    message_id: uuid.UUID = key()
    handled_at: dt.datetime


@entity(table="loom_jobs")
class JobRow:
    id: uuid.UUID = key()
    job: str = field(index=True)
    state: str
    attempts: int
    result: bytes | None = None
    error: str | None = None
    updated_at: dt.datetime


@entity(table="loom_idempotency")
class AnswerRow:
    """``status`` is 0 while the transaction that took the key runs; nobody else sees that."""

    key: str = key(max_length=64)
    fingerprint: str
    expires_at: dt.datetime = field(index=True)
    status: int = 0
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""


SYSTEM_MODELS = (OutboxRow, InboxRow, AnswerRow, JobRow)


def add_system_indexes(catalogue: Catalogue, dialect: str) -> None:
    """Index what waits in the outbox, and only that: it is looked at all the time, however much has been sent."""
    table = catalogue.tables["loom_outbox"].table
    waiting: dict[str, Any] = {f"{dialect}_where": table.c.sent_at.is_(None)}
    for columns in (["position"], ["key", "position"]):
        sa.Index(
            catalogue.names.of("ix", "loom_outbox", "waiting", *columns),
            *(table.c[name] for name in columns),
            **waiting,
        )
