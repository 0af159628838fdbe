"""Models of the contract of relations: every kind of relation and projection, and a class that knows no loom."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import attrs

from loom.domain.expr import col
from loom.domain.model import FieldOptions, entity, field, key, projection, relation
from loom.domain.relations import Link, RelationOptions


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 9


@entity(
    table="rel_users",
    profiles={
        "with_card": ("card",),
        "with_notes": ("notes", "notes_count"),
        "deep": ("notes.comments.author", "notes.tags", "card"),
        "figures": ("notes_count", "open_count", "has_notes", "effort", "cheapest", "first_due", "newest", "top_level"),
    },
)
class User:
    id: int = key(autoincrement=True)
    name: str = field(max_length=50, unique=True)
    card: Card | None = relation()
    notes: tuple[Note, ...] = relation(foreign_key="owner_id", sort="-title", on_delete="cascade")
    reviews: list[Note] = relation(foreign_key="reviewer_id")
    notes_count: int = projection(count="notes")
    open_count: int = projection(count="notes", where=col("done") == False)  # noqa: E712 - builds a comparison
    has_notes: bool = projection(exists="notes")
    effort: Decimal = projection(sum="notes", value=col("price") * col("hours"))
    cheapest: Decimal | None = projection(min="notes", value="price")
    first_due: dt.datetime | None = projection(first="notes", value="due", sort="due", where=col("due").is_not_null())
    top_level: Level | None = projection(max="notes", value="level")
    newest: Note | None = projection(first="notes", sort="-id")


@entity(table="rel_cards")
class Card:
    """The other side of a one-to-one: the key is the reference."""

    user_id: int = key(references="rel_users.id", on_delete="cascade")
    number: str


@entity(
    table="rel_notes",
    profiles={
        "with_owner": ("owner", "reviewer"),
        "with_details": ("owner.card", "reviewer", "tags", "comments", "comments_count", "tag_names"),
        "listed": ("with_owner", "comments.author.with_card"),
    },
)
class Note:
    id: int = key(autoincrement=True)
    title: str
    owner_id: int
    reviewer_id: int | None = field(default=None, references="rel_users.id")
    done: bool = False
    price: Decimal = field(default=Decimal("0.00"), precision=12, scale=2)
    hours: int = 0
    level: Level = Level.LOW
    due: dt.datetime | None = None
    owner: User = relation(foreign_key="owner_id")
    reviewer: User | None = relation(foreign_key="reviewer_id", on_delete="set_null")
    comments: tuple[Comment, ...] = relation()
    tags: tuple[Tag, ...] = relation(through=Link("rel_note_tags", "note_id", "tag_id"), sort="name")
    comments_count: int = projection(count="comments")
    tag_names: str | None = projection(first="tags", value="name")


@entity(table="rel_tags", profiles={"with_notes": ("notes", "uses")})
class Tag:
    code: str = key(max_length=8)
    name: str
    notes: list[Note] = relation(through=Link("rel_note_tags", "tag_id", "note_id"))
    uses: int = projection(count="notes")


@entity(table="rel_comments", soft_delete=True)
class Comment:
    """Rows that are marked as deleted do not exist for anybody."""

    id: int = key(autoincrement=True)
    note_id: int = field(references="rel_notes.id", on_delete="cascade")
    author_id: int | None = field(default=None, references="rel_users.id", on_delete="set_null")
    text: str = ""
    author: User | None = relation()


@entity(table="rel_folders", profiles={"tree": ("parent", "children.children", "tags")})
class Folder:
    """A model that leads back to itself, by a key that is no number; deleting is refused while there are children."""

    path: str = key(max_length=50)
    parent_path: str | None = None
    parent: Folder | None = relation(foreign_key="parent_path")
    children: tuple[Folder, ...] = relation(foreign_key="parent_path")
    tags: tuple[Tag, ...] = relation(through="FolderTag")


@entity(table="rel_folder_tags")
class FolderTag:
    """A link with an entity of its own."""

    id: int = key(autoincrement=True)
    folder_path: str = field(max_length=50, references="rel_folders.path", on_delete="cascade")
    tag_code: str = field(max_length=8, references="rel_tags.code")


@attrs.define
class Place:
    """A class of somebody else's domain, with defaults of its own."""

    name: str
    folder_path: str
    folder: Folder | None = None


entity(
    table="rel_places",
    key="name",
    fields={
        "folder": FieldOptions(relation=RelationOptions(foreign_key="folder_path")),
        "folder_path": FieldOptions(references="rel_folders.path", max_length=50),
    },
    profiles={"with_folder": ("folder",)},
)(Place)


@entity(table="rel_votes")
class Vote:
    """Refuses that its note is deleted, whoever deletes it."""

    id: int = key(autoincrement=True)
    note_id: int = field(references="rel_notes.id")


RELATED_MODELS = (User, Card, Note, Tag, Comment, Folder, FolderTag, Place, Vote)
