"""Every fault that relations, projections and profiles can have, by its text."""

from __future__ import annotations

import sys
import types
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.graph import Graph, compile_graph
from loom.application.links import link_entity
from loom.domain.expr import col
from loom.domain.model import FieldOptions, entity, field, key, projection, relation
from loom.domain.relations import Link, RelationOptions


@entity(table="cr_teams")
class Team:
    id: int = key(autoincrement=True)
    name: str = field(max_length=20, unique=True)


@entity(table="cr_pairs")
class Pair:
    left: int = key()
    right: int = key()


@entity(table="cr_keyless")
class Keyless:
    name: str


@entity(table="cr_members")
class Member:
    id: int = key(autoincrement=True)
    team_id: int = field(references="cr_teams.id")
    second_id: int | None = field(default=None, references="cr_teams.id")
    age: int = 0


@entity(table="cr_others")
class Other:
    id: int = key(autoincrement=True)
    thing_id: int = field(references="cr_things.id")


@entity(table="cr_fans")
class Fan:
    id: int = key(autoincrement=True)
    team_id: int
    team: Team = relation(foreign_key="team_id")


class NoEntity:
    """Just a class."""


def graph_of(*models: type) -> tuple[Graph, list[str]]:
    issues = Issues()
    graph = compile_graph(models, issues)
    return graph, [f"{each.code} {each.message}" + (f": {each.remedy}" if each.remedy else "") for each in issues.found]


def made(annotation: Any, attribute: Any, **options: Any) -> type:
    """An entity with one attribute more than the plain ones."""
    hints = {"id": int, "team_id": int, "maybe_id": int | None, "ref": str, "x": annotation}
    body = {
        "__annotations__": hints,
        "__module__": __name__,
        "id": key(autoincrement=True),
        "maybe_id": None,
        "ref": "",
        "x": attribute,
    }
    return entity(table="cr_things", **options)(type("Thing", (), body))


FAULTS: dict[str, tuple[Any, Any, str]] = {
    "no entity": (NoEntity, relation(foreign_key="team_id"), "LOOM-CORE-050 Thing.x refers to NoEntity, which is not"),
    "faults of the other": (
        Keyless,
        relation(foreign_key="team_id"),
        "LOOM-CORE-050 Thing.x refers to Keyless, which has faults itself",
    ),
    "several keys": (
        Pair,
        relation(foreign_key="team_id"),
        "LOOM-CORE-051 Thing.x goes by Thing.team_id, but the key of Pair has several fields: give Pair a unique",
    ),
    "an unknown foreign key": (
        Team,
        relation(foreign_key="teamid"),
        "LOOM-CORE-051 Thing.x: foreign key of Thing 'teamid' does not exist: did you mean 'team_id'?",
    ),
    "no foreign key at all": (
        Team,
        relation(),
        "LOOM-CORE-051 Thing.x names no foreign key, and none between Thing and Team is declared",
    ),
    "another type": (
        Team,
        relation(foreign_key="ref"),
        "LOOM-CORE-051 Thing.x joins Thing.ref with Team.id, which are string and int",
    ),
    "may be none": (
        Team,
        relation(foreign_key="maybe_id"),
        "LOOM-CORE-051 Thing.x may be none, but its annotation is Team: annotate it with Team | None",
    ),
    "several may be null": (
        tuple[Other, ...] | None,
        relation(),
        "LOOM-CORE-051 Thing.x may be null, but several are never null",
    ),
    "a rule that does not exist": (
        Team,
        relation(foreign_key="team_id", on_delete="cascde"),  # type: ignore[arg-type]
        "LOOM-CORE-052 Thing.x: on_delete 'cascde' does not exist: did you mean 'cascade'?",
    ),
    "null that cannot be": (
        Team,
        relation(foreign_key="team_id", on_delete="set_null"),
        "LOOM-CORE-052 Thing.team_id is to become null when what it refers to is deleted, but it is never null",
    ),
    "an unknown link": (
        tuple[Team, ...],
        relation(through="Membr"),
        "LOOM-CORE-053 Thing.x: link entity 'Membr' does not exist: did you mean 'Member'?",
    ),
    "a link that refers elsewhere": (
        tuple[Team, ...],
        relation(through=Member),
        "LOOM-CORE-053 Thing.x has 0 fields of Member that reference 'cr_things' to go by",
    ),
    "a single link": (Team, relation(through=Member), "LOOM-CORE-053 Thing.x goes through a link and is single"),
    "an unknown sort": (
        tuple[Member, ...],
        relation(foreign_key="team_id", sort="-aeg"),
        "LOOM-CORE-057 Thing.x: sort column 'aeg' does not exist: did you mean 'age'?",
    ),
    "a projection of nothing": (
        int,
        projection(count="notes"),
        "LOOM-CORE-054 Thing.x: relation 'notes' does not exist: none are declared",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_relation_is_told(case: str) -> None:
    annotation, attribute, text = FAULTS[case]
    _, told = graph_of(made(annotation, attribute), Team, Member, Other)
    assert [line for line in told if line.startswith(text)], told


def test_a_name_that_several_entities_have_is_told() -> None:
    def twin(table: str) -> type:
        @entity(table=table)
        class Twin:
            id: int = key()

        return Twin

    first, second = twin("cr_first"), twin("cr_second")
    _, told = graph_of(made("Twin", relation(foreign_key="team_id")), Team, first, second)
    (fault,) = told
    assert fault.startswith(
        "LOOM-CORE-050 Thing.x refers to Twin, and several entities are called so: import the class"
    )


def test_two_foreign_keys_to_one_table_need_to_be_told_apart() -> None:
    @entity(table="cr_games")
    class Game:
        id: int = key(autoincrement=True)
        home_id: int = field(references="cr_teams.id")
        guest_id: int = field(references="cr_teams.id")
        home: Team = relation(foreign_key="home_id")
        guest: Team = relation(foreign_key="guest_id")
        winner: Team = relation()

    graph, told = graph_of(Game, Team)
    (fault,) = told
    assert fault.startswith("LOOM-CORE-051 Game.winner could go by any of Game.home_id, Game.guest_id: say which")
    assert sorted(graph.relations[Game]) == ["guest", "home"]


PROJECTIONS: dict[str, tuple[Any, Any, str]] = {
    "a count that is no number": (str, projection(count="members"), "its annotation is not int"),
    "a flag that is none": (int, projection(exists="members"), "its annotation is not bool"),
    "a sum of what": (int, projection(sum="members"), 'is sum of what?: write projection(sum="members", value="...")'),
    "of an unknown column": (
        int,
        projection(sum="members", value="agee"),
        "column 'agee' does not exist: did you mean",
    ),
    "of another type": (Decimal, projection(sum="members", value="age"), "is int, but its annotation is not"),
    "of text": (str, projection(sum="members", value="name"), "string cannot be summed"),
    "the last of two truths": (
        bool | None,
        projection(max="members", value=col("age") > 3),
        'bool has no max in PostgreSQL: use exists or first: projection(first="members", ...)',
    ),
    "that may be none": (int, projection(max="members", value="age"), "may be none, because there may be no members"),
    "of the wrong class": (Team | None, projection(first="members"), "its annotation is Team: annotate it with Fellow"),
    "with a condition of no sense": (
        int,
        projection(count="members", where=col("age") == "x"),
        "joins int with string",
    ),
}


@pytest.mark.parametrize("case", PROJECTIONS)
def test_a_fault_of_a_projection_is_told(case: str) -> None:
    annotation, attribute, text = PROJECTIONS[case]
    fellow: Any = entity(table="cr_fellows")(
        type(
            "Fellow",
            (),
            {
                "__annotations__": {"id": int, "club_id": int, "age": int, "name": str},
                "__module__": __name__,
                "id": key(autoincrement=True),
            },
        )
    )
    hints = {"id": int, "members": tuple[fellow, ...], "x": annotation}
    body = {"__annotations__": hints, "__module__": __name__, "id": key(autoincrement=True), "x": attribute}
    body["members"] = relation(foreign_key="club_id")
    club: Any = entity(table="cr_clubs")(type("Club", (), body))
    _, told = graph_of(club, fellow, Team)
    assert len(told) == 1, told
    assert told[0].startswith("LOOM-CORE-054 Club.x")
    assert text in told[0]


def test_profiles_name_what_there_is_and_never_themselves() -> None:
    @entity(
        table="cr_a",
        profiles={"full": ("b.full", "count"), "id": (), "odd": ("bs", "b.name"), "fine": ("only_b", "b.short")},
    )
    class A:
        id: int = key(autoincrement=True)
        b_id: int
        b: B = relation(foreign_key="b_id")

    @entity(table="cr_b", profiles={"full": ("as_.full",), "short": ()})
    class B:
        id: int = key(autoincrement=True)
        name: str = ""
        as_: tuple[A, ...] = relation(foreign_key="b_id")

    B.__module__ = A.__module__ = __name__
    sys.modules[__name__].__dict__.update({"A": A, "B": B})
    _, told = graph_of(A, B)
    nothing = "relation, projection or profile of"
    instead = "name what is to be loaded instead of the profile"
    assert told == [
        f"LOOM-CORE-056 profile 'full' of A would load itself: A.full -> B.full -> A.full: {instead}",
        f"LOOM-CORE-055 profile 'full' of A: {nothing} A 'count' does not exist: known: b, fine, full, id, odd",
        "LOOM-CORE-055 profile 'id' of A has the name of a field: give it another",
        f"LOOM-CORE-055 profile 'odd' of A: {nothing} A 'bs' does not exist: did you mean 'b'?",
        f"LOOM-CORE-055 profile 'odd' of A: {nothing} B 'name' does not exist: known: as_, full, short",
        f"LOOM-CORE-055 profile 'fine' of A: {nothing} A 'only_b' does not exist: known: b, fine, full, id, odd",
        f"LOOM-CORE-056 profile 'full' of B would load itself: B.full -> A.full -> B.full: {instead}",
    ]


def test_what_relations_lead_to_belongs_to_the_models() -> None:
    graph, told = graph_of(Fan)
    assert told == []
    assert {schema.model for schema in graph.schemas} == {Fan, Team}


def test_two_rules_for_one_key_are_one_too_many() -> None:
    @entity(table="cr_rooms")
    class Room:
        id: int = key(autoincrement=True)
        team_id: int = field(references="cr_teams.id", on_delete="restrict")
        team: Team = relation(foreign_key="team_id", on_delete="cascade")
        loose: int = field(default=0, on_delete="cascade")

    _, told = graph_of(Room, Team)
    said = "Room.team_id says restrict, Room.team says cascade"
    assert told == [
        f"LOOM-CORE-052 on_delete of Room.team_id is not clear: {said}: say it in one place",
        """LOOM-CORE-052 Room.loose has on_delete='cascade', but refers to nothing: add references="table.column\"""",
    ]


def test_a_relation_names_an_entity_of_a_module_that_it_does_not_import() -> None:
    source = """
from __future__ import annotations
from loom.core import entity, key, relation

@entity(table="cr_far")
class Far:
    id: int = key(autoincrement=True)
    near_id: int
    near: NearBy = relation(foreign_key="near_id")
    nowhere: NoSuchThing = relation(foreign_key="near_id")
"""
    module = types.ModuleType("cr_far_module")
    sys.modules["cr_far_module"] = module
    exec(source, module.__dict__)

    @entity(table="cr_near")
    class NearBy:
        id: int = key(autoincrement=True)

    graph, told = graph_of(module.Far, NearBy)
    assert graph.relations[module.Far]["near"].target.model is NearBy
    assert told == ["LOOM-CORE-050 Far.nowhere: entity 'NoSuchThing' does not exist: known: Far, NearBy"]


def test_a_link_table_without_an_entity_gets_one_for_both_sides() -> None:
    @entity(table="cr_books")
    class Book:
        id: int = key(autoincrement=True)
        tags: tuple[Mark, ...] = relation(through=Link("cr_book_marks", "book_id", "mark"))

    @entity(table="cr_marks")
    class Mark:
        code: str = key(max_length=4)
        books: tuple[Book, ...] = relation(through=Link("cr_book_marks", "mark", "book_id"))

    graph, told = graph_of(Book, Mark)
    link = link_entity(Book, "tags")
    assert told == []
    assert link is link_entity(Mark, "books")
    made_schema = next(schema for schema in graph.schemas if schema.model is link)
    options = [(each.name, each.options.references, each.options.on_delete) for each in made_schema.keys]
    assert options == [("book_id", "cr_books.id", "cascade"), ("mark", "cr_marks.code", "cascade")]
    with pytest.raises(LookupError, match="no relation 'id'"):
        link_entity(Book, "id")


def test_options_beside_a_class_declare_relations_too() -> None:
    @attrs.define
    class Visit:
        id: int
        team_id: int
        team: Team | None = None

    options = {"team": FieldOptions(relation=RelationOptions(foreign_key="team_id"))}
    entity(table="cr_visits", fields=options, profiles={"with_team": ("team",)})(Visit)
    graph, told = graph_of(Visit, Team)
    assert told == []
    assert graph.profiles[Visit]["with_team"].names == ("team",)
