"""The service on loom: the models, one use case of its own, and generated CRUD."""

import asyncio
import sys

import attrs

from benchmarks.rest import data
from loom.core import Input, Kernel, Repository, UseCase, command, entity, event, field, key, relation
from loom.rest import RestInterface, RestRoute, app_of


@entity(table="people")
class Person:
    id: int = key(autoincrement=True)
    name: str = field(max_length=80)
    email: str = field(max_length=120, unique=True)


@entity(table="tickets", timestamps=True, profiles={"with_details": ("owner", "notes")})
class Ticket:
    id: int = key(autoincrement=True)
    title: str = field(max_length=120)
    text: str = field(max_length=2000)
    status: data.Status
    priority: int
    hours: float | None = None
    billable: bool = False
    owner_id: int = field(references="people.id", index=True)
    owner: Person = relation()
    notes: "tuple[Note, ...]" = relation()


@entity(table="notes")
class Note:
    id: int = key(autoincrement=True)
    ticket_id: int = field(references="tickets.id", index=True)
    author: str = field(max_length=80)
    text: str = field(max_length=2000)


@attrs.frozen
class Pong:
    status: str = "ok"


@command
class NewTicket:
    title: str = field(max_length=120)
    text: str = field(max_length=2000)
    status: data.Status
    priority: int
    hours: float | None = None
    billable: bool = False
    owner_id: int


@event(topic="tickets.opened", key="ticket_id")
class TicketOpened:
    ticket_id: int
    title: str
    owner_id: int


class Ping(UseCase[None, Pong]):
    """Tell that the service answers."""

    read_only = True

    async def execute(self) -> Pong:
        return Pong()


class OpenTicket(UseCase[Ticket, Ticket]):
    """Open a ticket and tell the rest of the system."""

    async def execute(self, cmd: NewTicket = Input()) -> Ticket:
        ticket = await self.main_repo.create(cmd)
        self.emit(TicketOpened(ticket_id=ticket.id, title=ticket.title, owner_id=ticket.owner_id))
        return ticket


class Fill(UseCase[None, None]):
    """Put in the rows that the benchmark starts with."""

    def __init__(self, people: Repository[Person], tickets: Repository[Ticket], notes: Repository[Note]) -> None:
        self._people = people
        self._tickets = tickets
        self._notes = notes

    async def execute(self, amount: data.Amount) -> None:
        await self._people.create_many(data.people(amount))
        await self._tickets.create_many(data.tickets(amount))
        await self._notes.create_many(data.notes(amount))


class PingInterface(RestInterface[None]):
    routes = (RestRoute(use_case=Ping, method="GET", path="/ping"),)


class TicketInterface(RestInterface[Ticket]):
    prefix = "/tickets"
    auto = True
    page_size = data.PAGE_SIZE
    profiles = ("with_details",)
    routes = (RestRoute(use_case=OpenTicket, method="POST", path="/announced", status_code=201),)


def build(url: str) -> object:
    """The ASGI application over a database."""
    return app_of(_kernel(url))


def seed(url: str, amount: data.Amount) -> None:
    """Create the tables and fill them."""
    asyncio.run(_seed(url, amount))


async def _seed(url: str, amount: data.Amount) -> None:
    async with _kernel(url) as kernel:
        await kernel.invoke(Fill, params={"amount": amount})


def _kernel(url: str) -> Kernel:
    persistence = [
        "persistence.adapter=sqlalchemy",
        f"persistence.url={url}",
        f"persistence.pool_size={data.POOL_SIZE}",
    ]
    return Kernel.from_yaml(
        overrides=[*persistence, "observability.log.level=warning"], modules=[sys.modules[__name__]]
    )
