"""The rows of the contract of relations, and the store that holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest_asyncio

from loom.application.links import link_entity
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_models import PersistenceSuite
from loom.testing.contracts.persistence_related_models import (
    RELATED_MODELS,
    Card,
    Comment,
    Folder,
    FolderTag,
    Note,
    Place,
    Tag,
    User,
)

NoteTag = link_entity(Note, "tags")
DUE = dt.datetime(2013, 1, 5, 12, tzinfo=dt.UTC)


class RelatedSuite(PersistenceSuite):
    """The part of the suite that needs models with relations. ``counting`` is a hook for stores that can tell."""

    @contextmanager
    def counting(self, persistence: Persistence) -> Iterator[list[str] | None]:
        """Collect the statements that are sent inside the block; ``None`` where the store sends none."""
        yield None

    @pytest_asyncio.fixture
    async def persistence(self, clock: FakeClock) -> AsyncIterator[Persistence]:
        opened = await self.make_persistence(clock)
        await opened.start(RELATED_MODELS)
        await fill(opened)
        yield opened
        await opened.stop()


async def fill(persistence: Persistence) -> None:
    """Three users, four notes, and all that refers to them."""
    rows: dict[type, list[dict[str, Any]]] = {
        User: [{"name": name} for name in ("ann", "bob", "cid")],
        Card: [{"user_id": 1, "number": "1111"}, {"user_id": 2, "number": "2222"}],
        Note: [
            {"title": "a", "owner_id": 1, "reviewer_id": 2, "price": Decimal(1), "hours": 1, "level": 9, "due": DUE},
            {"title": "b", "owner_id": 1, "price": Decimal("1.75"), "hours": 2, "done": True},
            {"title": "c", "owner_id": 2, "reviewer_id": 1, "due": DUE + dt.timedelta(days=1)},
            {"title": "d", "owner_id": 2},
        ],
        Tag: [{"code": name[0], "name": name} for name in ("red", "green", "blue")],
        NoteTag: [{"note_id": 1, "tag_id": "r"}, {"note_id": 1, "tag_id": "g"}, {"note_id": 3, "tag_id": "r"}],
        Comment: [
            {"note_id": 1, "text": "good"},
            {"note_id": 1, "text": "bad", "author_id": 2},
            {"note_id": 1, "text": "late"},
            {"note_id": 2, "text": "good luck", "author_id": 1},
        ],
        Folder: [
            {"path": "/"},
            {"path": "/a", "parent_path": "/"},
            {"path": "/b", "parent_path": "/"},
            {"path": "/a/x", "parent_path": "/a"},
            {"path": "/a/y", "parent_path": "/a"},
        ],
        FolderTag: [{"folder_path": "/", "tag_code": "r"}, {"folder_path": "/b", "tag_code": "g"}],
        Place: [{"name": "home", "folder_path": "/a"}, {"name": "work", "folder_path": "/a/x"}],
    }
    async with persistence.begin() as unit:
        for model, each in rows.items():
            await unit.repository(model).create_many(each)
        await unit.commit()
