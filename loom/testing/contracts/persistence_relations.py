"""What every repository must do with relations: load them by profile, lead predicates across them, keep their rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from loom.domain.errors import InvalidInput
from loom.domain.expr import Expr, col
from loom.domain.query import Query, Sort
from loom.domain.relations import NOT_LOADED, NotLoadedError
from loom.domain.visibility import RowFilters
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_related_models import Card, Comment, Folder, Level, Note, Place, Tag, User
from loom.testing.contracts.persistence_related_rows import DUE, NoteTag, RelatedSuite

ACROSS: dict[str, tuple[Expr, list[str]]] = {
    "a single relation": (col("owner.name") == "ann", ["a", "b"]),
    "by attribute": (col("owner").name == "ann", ["a", "b"]),
    "null where there is none": (col("reviewer.name") == "bob", ["a"]),
    "and its negation drops it": (~(col("reviewer.name") == "bob"), ["c"]),
    "none is null": (col("reviewer.name").is_null(), ["b", "d"]),
    "two relations to one table": (col("owner.name") > col("reviewer.name"), ["c"]),
    "two steps": (col("owner.card.number") == "1111", ["a", "b"]),
    "some of several": (col("comments.text").like("good%"), ["a", "b"]),
    "none of several": (~(col("comments.text").like("good%")), ["c", "d"]),
    "each comparison has its own": ((col("comments.text") == "good") & (col("comments.text") == "bad"), ["a"]),
    "through a link": (col("tags.name") == "red", ["a", "c"]),
    "through a link, one of": (col("tags.code").is_in(["g", "b"]), ["a"]),
    "several, then a single one": (col("comments.author.name") == "bob", ["a"]),
    "several, then one that is not there": (col("comments.author.name").is_null(), ["a"]),
    "rows outside beside rows inside": (col("comments.author_id") == col("owner_id"), ["b"]),
    "with own columns": ((col("owner.name") == "ann") & (col("hours") > 1), ["b"]),
    "arithmetic": (col("owner.id") * 2 == col("hours"), ["b"]),
}

REFUSED: dict[str, tuple[Expr, str]] = {
    "a column that the other model does not have": (col("owner.nme") == "x", "did you mean 'owner.name'"),
    "a relation that does not exist": (col("ownr.name") == "x", "did you mean 'owner.name'"),
    "a relation itself": (col("owner") == 1, "does not exist"),
    "two ways at once": (col("comments.text") == col("tags.name"), "two relations"),
    "operands of two types": (col("owner.name") == 1, "joins string with int"),
}


@pytest.mark.asyncio
class RelationContract(RelatedSuite):
    """The contract of profiles and of what they load."""

    async def test_nothing_is_loaded_that_was_not_asked_for(self, persistence: Persistence) -> None:
        """What is not loaded is neither none nor empty, and says so when it is used."""
        async with persistence.begin(read_only=True) as unit:
            note = await unit.repository(Note).get(1)
            assert note is not None
            held: list[object] = [note.owner, note.reviewer, note.tags, note.comments_count]
            assert all(each is NOT_LOADED for each in held)
            with pytest.raises(NotLoadedError, match="profile"):
                _ = note.owner.name
            with pytest.raises(NotLoadedError):
                bool(note.tags)
            place = await unit.repository(Place).get("home")
            assert place is not None
            assert place.folder is NOT_LOADED

    async def test_single_relations_are_objects_or_none(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            first, second = (await unit.repository(Note).list(Query(profile="with_owner", limit=2))).items
            assert (first.owner, first.reviewer) == (User(id=1, name="ann"), User(id=2, name="bob"))
            assert (second.owner, second.reviewer) == (User(id=1, name="ann"), None)
            held: list[object] = [first.owner.notes, first.owner.card]
            assert all(each is NOT_LOADED for each in held)
            ann, cid = [await unit.repository(User).get(number, profile="with_card") for number in (1, 3)]
            assert ann is not None
            assert ann.card == Card(user_id=1, number="1111")
            assert cid is not None
            assert cid.card is None

    async def test_several_are_in_order_and_empty_where_there_are_none(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            users = (await unit.repository(User).list(Query(profile="with_notes"))).items
            assert [[note.title for note in user.notes] for user in users] == [["b", "a"], ["d", "c"], []]
            assert [user.notes_count for user in users] == [2, 2, 0]
            note = await unit.repository(Note).get(1, profile="with_details")
            assert note is not None
            assert isinstance(note.tags, tuple)
            assert [tag.name for tag in note.tags] == ["green", "red"]
            assert [comment.text for comment in note.comments] == ["good", "bad", "late"]
            assert (note.comments_count, note.tag_names) == (3, "green")
            assert note.owner.card == Card(user_id=1, number="1111")
            bare = await unit.repository(Note).find(col("title") == "d", profile="with_details")
            assert bare is not None
            assert (bare.tags, bare.comments, bare.comments_count, bare.tag_names) == ((), (), 0, None)

    async def test_both_sides_of_a_link(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            tags = (await unit.repository(Tag).list(Query(profile="with_notes"))).items
            assert {tag.code: ([note.title for note in tag.notes], tag.uses) for tag in tags} == {
                "b": ([], 0),
                "g": (["a"], 1),
                "r": (["a", "c"], 2),
            }
            assert all(isinstance(tag.notes, list) for tag in tags)

    async def test_projections_are_computed(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            ann, _, cid = (await unit.repository(User).list(Query(profile="figures"))).items
            assert (ann.notes_count, ann.open_count, ann.has_notes) == (2, 1, True)
            assert (str(ann.effort), str(ann.cheapest)) == ("4.50", "1.00")
            assert (ann.first_due, ann.top_level) == (DUE, Level.HIGH)
            assert ann.newest == Note(id=2, title="b", owner_id=1, price=Decimal("1.75"), hours=2, done=True)
            assert [type(each) for each in (ann.top_level, ann.notes_count, ann.has_notes)] == [Level, int, bool]
            assert (cid.notes_count, cid.open_count, cid.has_notes, cid.effort) == (0, 0, False, Decimal(0))
            assert (cid.cheapest, cid.first_due, cid.newest, cid.top_level) == (None, None, None, None)

    async def test_a_profile_goes_as_deep_as_it_says(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            ann = await unit.repository(User).find(col("name") == "ann", profile="deep")
            assert ann is not None
            assert ann.card is not None
            second, first = ann.notes
            assert [comment.author and comment.author.name for comment in first.comments] == [None, "bob", None]
            assert [[tag.code for tag in note.tags] for note in (first, second)] == [["g", "r"], []]
            assert first.owner is NOT_LOADED
            listed = await unit.repository(Note).get(1, profile="listed")
            assert listed is not None
            assert listed.owner.name == "ann"
            assert [each.author.card for each in listed.comments if each.author] == [Card(user_id=2, number="2222")]

    async def test_a_model_may_lead_back_to_itself(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            folders = unit.repository(Folder)
            root = await folders.get("/", profile="tree")
            assert root is not None
            assert root.parent is None
            assert [(child.path, [each.path for each in child.children]) for child in root.children] == [
                ("/a", ["/a/x", "/a/y"]),
                ("/b", []),
            ]
            leaf = await folders.find(col("parent.parent.path") == "/", profile="tree")
            assert leaf is not None
            assert leaf.path == "/a/x"
            assert leaf.parent == Folder(path="/a", parent_path="/")
            assert [tag.code for tag in root.tags] == ["r"]
            found = await folders.list(Query(where=col("children.children.path") == "/a/y"))
            assert [each.path for each in found.items] == ["/"]
            place = await unit.repository(Place).get("home", profile="with_folder")
            assert place is not None
            assert place.folder == Folder(path="/a", parent_path="/")

    async def test_one_statement_for_each_relation_of_several(self, persistence: Persistence) -> None:
        """However many rows there are: single relations and figures come with the rows themselves."""
        async with persistence.begin(read_only=True) as unit:
            notes, users = unit.repository(Note), unit.repository(User)
            expected: list[tuple[Callable[[], Awaitable[object]], int]] = [
                (lambda: notes.get(1, profile="with_owner"), 1),
                (lambda: notes.list(Query(profile="with_owner")), 1),
                (lambda: notes.list(Query(profile="with_owner", total=True)), 2),
                (lambda: notes.get(1, profile="with_details"), 3),
                (lambda: notes.list(Query(profile="with_details")), 3),
                (lambda: users.list(Query(profile="deep")), 4),
                (lambda: users.list(Query(profile="figures")), 2),
                (lambda: notes.find(col("title") == "nothing", profile="with_details"), 1),
            ]
            for call, number in expected:
                with self.counting(persistence) as statements:
                    await call()
                assert statements is None or len(statements) == number, statements

    async def test_pages_and_streams_load_profiles_too(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            notes = unit.repository(Note)
            after, seen = None, []
            while True:
                query = Query(profile="with_details", sort=(Sort("title", True),), limit=3, after=after, total=True)
                page = await notes.list(query)
                assert page.total == 4
                seen += [(note.title, note.owner.name, len(note.comments)) for note in page.items]
                if page.after is None:
                    break
                after = page.after
            assert seen == [("d", "bob", 0), ("c", "bob", 0), ("b", "ann", 1), ("a", "ann", 3)]
            streamed = [note async for note in notes.stream(Query(profile="with_details", limit=None))]
            assert [(note.title, len(note.tags)) for note in streamed] == [("a", 2), ("b", 0), ("c", 1), ("d", 0)]

    async def test_a_writing_unit_loads_what_it_wrote(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            note = await unit.repository(Note).create({"title": "new", "owner_id": 3})
            assert note.owner is NOT_LOADED
            await unit.repository(NoteTag).create({"note_id": note.id, "tag_id": "b"})
            loaded = await unit.repository(Note).get(note.id, profile="with_details")
            assert loaded is not None
            assert (loaded.owner.name, loaded.tag_names) == ("cid", "blue")
            async for each in unit.repository(Note).stream(Query(profile="with_owner", limit=None)):
                assert each.owner.id == each.owner_id

    async def test_rows_that_are_marked_as_deleted_are_not_related(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            assert await unit.repository(Comment).delete(2)
            note = await unit.repository(Note).get(1, profile="with_details")
            assert note is not None
            assert [each.text for each in note.comments] == ["good", "late"]
            assert note.comments_count == 2
            assert await unit.repository(Note).count(col("comments.text") == "bad") == 0

    async def test_rows_that_filters_leave_out_are_at_the_end_of_no_relation(self, persistence: Persistence) -> None:
        """Whoever carries the filters: what they leave out is not loaded, not computed, and found by no predicate."""
        bob, cheap = col("name") == "bob", col("price") < Decimal("1.5")
        filters = RowFilters({User: bob, Note: cheap & col("title").is_in(["a", "x"]), Tag: col("code") != "g"})
        for _ in range(2):  # built once, and used again with other values
            async with persistence.begin(read_only=True) as unit:
                ann = await unit.repository(User, filters).find(col("name") == "ann", profile="figures")
                assert ann is not None
                assert (ann.notes_count, ann.newest and ann.newest.title, ann.cheapest) == (1, "a", Decimal(1))
                deep = await unit.repository(User, filters).find(col("name") == "ann", profile="deep")
                assert deep is not None
                (note,) = deep.notes
                assert [tag.code for tag in note.tags] == ["r"]
                assert [comment.author and comment.author.name for comment in note.comments] == [None, "bob", None]
                notes = unit.repository(Note, filters)
                listed = await notes.get(1, profile="listed")
                assert listed is not None
                assert [listed.owner] == [None]
                found = await notes.list(Query(where=col("owner.name").is_null(), total=True))
                assert ([each.title for each in found.items], found.total) == (["a", "b"], 2)
                assert not await notes.exists(col("owner.name") == "ann")
                assert await notes.count(col("tags.name") == "green") == 0
                tags = [tag async for tag in unit.repository(Tag, filters).stream(Query(profile="with_notes"))]
                assert [[each.title for each in tag.notes] for tag in tags] == [[], ["a"], ["a"]]
            async with persistence.begin(read_only=True) as unit:
                other = RowFilters(
                    {User: col("name") == "ann", Note: (col("price") < 9) & col("title").is_in(["b", "c"])}
                )
                ann = await unit.repository(User, other).find(col("name") == "ann", profile="figures")
                assert ann is not None
                assert (ann.notes_count, ann.newest and ann.newest.title) == (1, "b")

    async def test_an_unknown_profile_is_refused(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            notes = unit.repository(Note)
            for call in (
                lambda: notes.get(1, profile="with_detials"),
                lambda: notes.list(Query(profile="with_detials")),
            ):
                with pytest.raises(InvalidInput, match="did you mean 'with_details'") as caught:
                    await call()
                assert caught.value.errors[0].path == ("profile",)
            assert await notes.count() == 4

    @pytest.mark.parametrize("case", ACROSS)
    async def test_predicates_lead_across_relations(self, persistence: Persistence, case: str) -> None:
        predicate, titles = ACROSS[case]
        async with persistence.begin(read_only=True) as unit:
            notes = unit.repository(Note)
            for profile in ("", "with_owner"):
                page = await notes.list(Query(where=predicate, total=True, profile=profile))
                assert ([note.title for note in page.items], page.total) == (titles, len(titles))
            assert await notes.count(predicate) == len(titles)
            found = await notes.find(predicate)
            assert (found and found.title) == (titles[0] if titles else None)

    @pytest.mark.parametrize("case", REFUSED)
    async def test_predicates_that_lead_nowhere_are_refused(self, persistence: Persistence, case: str) -> None:
        predicate, text = REFUSED[case]
        async with persistence.begin(read_only=True) as unit:
            with pytest.raises(InvalidInput, match=text):
                await unit.repository(Note).count(predicate)
