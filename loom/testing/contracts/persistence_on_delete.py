"""What every repository must do with rows that others refer to."""

from __future__ import annotations

import pytest

from loom.domain.errors import Conflict
from loom.domain.expr import col
from loom.domain.query import Query
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_related_models import Card, Comment, Folder, Note, Tag, User, Vote
from loom.testing.contracts.persistence_related_rows import NoteTag, RelatedSuite


@pytest.mark.asyncio
class OnDeleteContract(RelatedSuite):
    """The contract of what deleting a row does to those that refer to it."""

    async def test_cascade_and_set_null_go_as_far_as_they_lead(self, persistence: Persistence) -> None:
        """A user's notes, cards and comments; reviews of others lose their reviewer."""
        async with persistence.begin() as unit:
            await unit.repository(Comment).create({"note_id": 3, "author_id": 1, "text": "mine"})
            assert await unit.repository(User).delete(1)
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            notes = (await unit.repository(Note).list(Query())).items
            assert [(note.title, note.reviewer_id) for note in notes] == [("c", None), ("d", None)]
            assert [card.user_id for card in (await unit.repository(Card).list(Query())).items] == [2]
            comments = (await unit.repository(Comment).list(Query())).items
            assert [(each.text, each.author_id) for each in comments] == [("mine", None)]
            assert await unit.repository(NoteTag).count() == 1

    async def test_restrict_refuses_and_says_who_refers(self, persistence: Persistence) -> None:
        for model, key, text in (
            (Folder, "/", "rel_folders still refer to it by parent_path"),
            (Tag, "r", "rel_folder_tags still refer to it by tag_code"),
        ):
            async with persistence.begin() as unit:
                with pytest.raises(Conflict, match=text):
                    await unit.repository(model).delete(key)
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Tag).get("r") is not None
            assert await unit.repository(NoteTag).count() == 3

    async def test_a_refusal_further_down_refuses_the_whole(self, persistence: Persistence) -> None:
        """A user's notes would go, but a vote refuses that its note goes: nothing goes, and the vote is named."""
        async with persistence.begin() as unit:
            with pytest.raises(Conflict, match="rel_places still refer to it by folder_path"):
                await unit.repository(Folder).delete("/a/x")
        async with persistence.begin() as unit:
            await unit.repository(Vote).create({"note_id": 1})
            await unit.commit()
        async with persistence.begin() as unit:
            with pytest.raises(Conflict, match="rel_votes still refer to it by note_id"):
                await unit.repository(User).delete(1)
        async with persistence.begin(read_only=True) as unit:
            assert (await unit.repository(Note).count(), await unit.repository(Card).count()) == (4, 2)
        async with persistence.begin() as unit:
            assert await unit.repository(Folder).delete("/b")
            await unit.commit()

    async def test_a_reference_that_only_a_relation_declares_is_kept(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Note).create({"title": "x", "owner_id": 99})
            assert tuple(caught.value.fields) == ("owner_id",)

    async def test_a_cascade_meets_what_was_done_in_the_same_unit(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            cid = await unit.repository(User).get(3)
            assert cid is not None
            await unit.repository(Note).create({"title": "x", "owner_id": cid.id, "reviewer_id": cid.id})
            assert await unit.repository(User).delete(cid.id)
            assert await unit.repository(Note).count(col("title") == "x") == 0
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Note).count() == 4
