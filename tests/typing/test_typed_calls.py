"""Types that a checker sees at call sites. ``make check`` reads this file with mypy; the tests run it too."""

from __future__ import annotations

from typing import assert_type

from loom.core import (
    Application,
    ApplicationInvoker,
    Created,
    Input,
    Page,
    Query,
    Rule,
    UseCase,
    command,
    entity,
    field,
    key,
)
from loom.rest import Job, JobHandle, JobService
from loom.testing import UseCaseTest


@entity
class Note:
    id: int = key(autoincrement=True)
    text: str = field(max_length=20)


@command
class Write:
    text: str


class WriteNote(UseCase[Note, Created[Note]]):
    async def execute(self, cmd: Write = Input()) -> Created[Note]:
        note = await self.main_repo.create(cmd)
        assert_type(note, Note)
        return Created(note)


class CountNotes(UseCase[Note, int]):
    read_only = True

    async def execute(self) -> int:
        return await self.main_repo.count()


class ListNotes(UseCase[Note, Page[Note]]):
    async def execute(self, query: Query = Query()) -> Page[Note]:
        return await self.main_repo.list(query)


class Archive(Job[int]):
    async def execute(self) -> int:
        return 1


class WriteTwice(UseCase[Note, int]):
    def __init__(self, app: ApplicationInvoker, jobs: JobService) -> None:
        self.app = app
        self.jobs = jobs

    async def execute(self, cmd: Write = Input()) -> int:
        assert_type(await self.app.invoke(WriteNote, cmd), Created[Note])
        assert_type(await self.jobs.dispatch(Archive), JobHandle[int])
        return await self.app.invoke(CountNotes)


async def call(app: Application) -> Page[Note]:
    """Every call gives the result of its use case, and no cast is needed."""
    written = await app.invoke(WriteNote, Write(text="a"))
    assert_type(written, Created[Note])
    assert_type(written.value, Note)
    assert_type(written.value.text, str)
    assert_type(await app.invoke(CountNotes), int)
    page = await app.invoke(ListNotes)
    assert_type(page.items, tuple[Note, ...])
    return page


def test_rules_that_are_combined_are_rules() -> None:
    first = Rule.require(bool, message="is empty").from_params("text")
    combined: list[Rule] = [first & first, first | first, (first | first).when_present()]
    assert all(isinstance(rule, Rule) for rule in combined)


async def test_results_have_the_types_that_their_use_cases_declare() -> None:
    test = UseCaseTest(WriteTwice)
    assert_type(await test.run(Write(text="b")), int)
    assert_type(await test.stored(Note), list[Note])
    assert [note.text for note in await test.stored(Note)] == ["b"]
    counted = UseCaseTest(CountNotes, given=[Note(id=1, text="c")])
    assert_type(await counted.run(), int)
    assert await counted.run() == 1
