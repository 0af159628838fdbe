"""The floor: the service by hand with as little as possible between the socket and the SQL.

Starlette, SQLAlchemy's Core and orjson. Statements are made once, reads are single statements without a transaction,
writes use RETURNING, and input is checked by a table of types.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.rest import data
from benchmarks.rest.programs.database import UtcDateTime, make_engine, now

metadata = sa.MetaData()
people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("email", sa.String(120), nullable=False, unique=True),
)
tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("text", sa.String(2000), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("hours", sa.Double),
    sa.Column("billable", sa.Boolean, nullable=False),
    sa.Column("owner_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), nullable=False, index=True),
    sa.Column("author", sa.String(80), nullable=False),
    sa.Column("text", sa.String(2000), nullable=False),
)

GET = sa.select(tickets).where(tickets.c.id == sa.bindparam("key"))
GET_OWNER = sa.select(people).where(people.c.id == sa.bindparam("key"))
GET_NOTES = sa.select(notes).where(notes.c.ticket_id == sa.bindparam("key")).order_by(notes.c.id)
LIST = sa.select(tickets).where(tickets.c.id > sa.bindparam("after")).order_by(tickets.c.id).limit(sa.bindparam("most"))
INSERT = sa.insert(tickets).returning(tickets)
UPDATE = sa.update(tickets).where(tickets.c.id == sa.bindparam("key")).returning(tickets)

# Column names are of a class of SQLAlchemy's own, which orjson does not take for text.
TICKET_NAMES = tuple(str(column.name) for column in tickets.c)
PERSON_NAMES = tuple(str(column.name) for column in people.c)
NOTE_NAMES = tuple(str(column.name) for column in notes.c)

TYPES: Mapping[str, tuple[type, ...]] = {
    "title": (str,),
    "text": (str,),
    "status": (str,),
    "priority": (int,),
    "hours": (float, int, type(None)),
    "billable": (bool,),
    "owner_id": (int,),
}
LENGTHS = {"title": 120, "text": 2000}
STATUSES = frozenset(status.value for status in data.Status)
REQUIRED = frozenset(TYPES) - {"hours", "billable"}
DEFAULTS = {"hours": None, "billable": False}


async def ping(request: Request) -> Response:
    return _json({"status": "ok"})


async def list_tickets(request: Request) -> Response:
    try:
        limit = int(request.query_params.get("limit", data.PAGE_SIZE))
        after = _position(request.query_params.get("cursor"))
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, "limit or cursor cannot be read") from error
    if not 1 <= limit <= 200:
        raise HTTPException(422, "limit must be between 1 and 200")
    async with _reader(request).connect() as connection:
        found = (await connection.execute(LIST, {"after": after, "most": limit + 1})).all()
    return _json({"items": [_named(TICKET_NAMES, row) for row in found[:limit]], "next_cursor": _cursor(found, limit)})


async def get_ticket(request: Request) -> Response:
    async with _reader(request).connect() as connection:
        row = (await connection.execute(GET, request.path_params)).one_or_none()
    return _json(_found(row))


async def get_ticket_with_details(request: Request) -> Response:
    async with _reader(request).connect() as connection:
        ticket = _found((await connection.execute(GET, request.path_params)).one_or_none())
        owner = (await connection.execute(GET_OWNER, {"key": ticket["owner_id"]})).one()
        written = (await connection.execute(GET_NOTES, request.path_params)).all()
    moments = {name: ticket.pop(name) for name in ("created_at", "updated_at")}
    detail = {"owner": _named(PERSON_NAMES, owner), "notes": [_named(NOTE_NAMES, row) for row in written]}
    return _json({**ticket, **detail, **moments})


async def create_ticket(request: Request) -> Response:
    given = _checked(orjson.loads(await request.body()))
    if not given.keys() >= REQUIRED:
        raise HTTPException(422, f"missing: {', '.join(sorted(REQUIRED - given.keys()))}")
    moment = now()
    row = await _write(request, INSERT, {**DEFAULTS, **given, "created_at": moment, "updated_at": moment})
    return _json(_found(row), status=201)


async def update_ticket(request: Request) -> Response:
    given = _checked(orjson.loads(await request.body()))
    row = await _write(request, UPDATE, {**request.path_params, **given, "updated_at": now()})
    return _json(_found(row))


ROUTES = [
    Route("/ping", ping),
    Route("/tickets", list_tickets),
    Route("/tickets", create_ticket, methods=["POST"]),
    Route("/tickets/{key:int}", get_ticket),
    Route("/tickets/{key:int}", update_ticket, methods=["PATCH"]),
    Route("/tickets/{key:int}/detail", get_ticket_with_details),
]


def build(url: str) -> object:
    """The ASGI application over a database."""
    engine = make_engine(url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield
        await engine.dispose()

    app = Starlette(routes=ROUTES, lifespan=lifespan)
    app.state.writer = engine
    app.state.reader = engine.execution_options(isolation_level="AUTOCOMMIT")
    return app


def seed(url: str, amount: data.Amount) -> None:
    """Create the tables and fill them."""
    asyncio.run(_seed(url, amount))


async def _seed(url: str, amount: data.Amount) -> None:
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(sa.insert(people), data.people(amount))
        await connection.execute(sa.insert(tickets), data.tickets(amount))
        await connection.execute(sa.insert(notes), data.notes(amount))
    await engine.dispose()


def _reader(request: Request) -> AsyncEngine:
    reader: AsyncEngine = request.app.state.reader
    return reader


async def _write(request: Request, statement: sa.Executable, values: dict[str, Any]) -> sa.Row[Any] | None:
    writer: AsyncEngine = request.app.state.writer
    try:
        async with writer.begin() as connection:
            return (await connection.execute(statement, values)).one_or_none()
    except IntegrityError as error:
        raise HTTPException(409, "the owner does not exist") from error


def _checked(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise HTTPException(422, "the body must be an object")
    for name, value in given.items():
        types = TYPES.get(name)
        if types is None or type(value) not in types:
            raise HTTPException(422, f"{name} is unknown or of the wrong type")
        if name in LENGTHS and len(value) > LENGTHS[name]:
            raise HTTPException(422, f"{name} is too long")
    if given.get("status", data.Status.OPEN) not in STATUSES:
        raise HTTPException(422, "unknown status")
    return given


def _found(row: sa.Row[Any] | None) -> dict[str, Any]:
    if row is None:
        raise HTTPException(404, "the ticket does not exist")
    return _named(TICKET_NAMES, row)


def _named(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), status, media_type="application/json")


def _cursor(found: Sequence[sa.Row[Any]], limit: int) -> str | None:
    return base64.urlsafe_b64encode(str(found[limit - 1].id).encode()).decode() if len(found) > limit else None


def _position(cursor: str | None) -> int:
    return 0 if cursor is None else int(base64.urlsafe_b64decode(cursor))
