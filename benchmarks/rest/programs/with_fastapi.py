"""The service as a competent team writes it by hand: FastAPI, pydantic, and SQLAlchemy's async ORM."""

import asyncio
import base64
import binascii
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.rest import data
from benchmarks.rest.programs.database import UtcDateTime, make_engine, now


class Base(orm.DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(80))
    email: orm.Mapped[str] = orm.mapped_column(sa.String(120), unique=True)


class Ticket(Base):
    __tablename__ = "tickets"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str] = orm.mapped_column(sa.String(120))
    text: orm.Mapped[str] = orm.mapped_column(sa.String(2000))
    status: orm.Mapped[data.Status] = orm.mapped_column(
        sa.Enum(data.Status, native_enum=False, values_callable=lambda status: [each.value for each in status])
    )
    priority: orm.Mapped[int]
    hours: orm.Mapped[float | None]
    billable: orm.Mapped[bool]
    owner_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("people.id"), index=True)
    created_at: orm.Mapped[dt.datetime] = orm.mapped_column(UtcDateTime, default=now)
    updated_at: orm.Mapped[dt.datetime] = orm.mapped_column(UtcDateTime, default=now, onupdate=now)

    owner: orm.Mapped[Person] = orm.relationship()
    notes: orm.Mapped[list["Note"]] = orm.relationship(order_by="Note.id")


class Note(Base):
    __tablename__ = "notes"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    ticket_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("tickets.id"), index=True)
    author: orm.Mapped[str] = orm.mapped_column(sa.String(80))
    text: orm.Mapped[str] = orm.mapped_column(sa.String(2000))


class PingOut(BaseModel):
    status: str


class TicketIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=120)
    text: str = Field(max_length=2000)
    status: data.Status
    priority: int
    hours: float | None = None
    billable: bool = False
    owner_id: int


class TicketPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(default="", max_length=120)
    text: str = Field(default="", max_length=2000)
    status: data.Status = data.Status.OPEN
    priority: int = 0
    hours: float | None = None
    billable: bool = False
    owner_id: int = 0


class TicketFields(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    text: str
    status: data.Status
    priority: int
    hours: float | None
    billable: bool
    owner_id: int


class TicketOut(TicketFields):
    created_at: dt.datetime
    updated_at: dt.datetime


class PersonOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str


class NoteOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    ticket_id: int
    author: str
    text: str


class TicketDetail(TicketFields):
    owner: PersonOut
    notes: list[NoteOut]
    created_at: dt.datetime
    updated_at: dt.datetime


class TicketPage(BaseModel):
    items: list[TicketOut]
    next_cursor: str | None


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]
router = APIRouter()


@router.get("/ping")
async def ping() -> PingOut:
    return PingOut(status="ok")


@router.get("/tickets", response_model=TicketPage)
async def list_tickets(
    session: Session, limit: Annotated[int, Query(ge=1, le=200)] = data.PAGE_SIZE, cursor: str | None = None
) -> dict[str, Any]:
    query = sa.select(Ticket).order_by(Ticket.id).limit(limit + 1)
    if cursor is not None:
        query = query.where(Ticket.id > _position(cursor))
    found = (await session.scalars(query)).all()
    return {"items": found[:limit], "next_cursor": _cursor(found, limit)}


@router.get("/tickets/{ticket_id}", response_model=TicketOut)
async def get_ticket(ticket_id: int, session: Session) -> Ticket:
    return _found(await session.get(Ticket, ticket_id), ticket_id)


@router.get("/tickets/{ticket_id}/detail", response_model=TicketDetail)
async def get_ticket_with_details(ticket_id: int, session: Session) -> Ticket:
    options = [orm.joinedload(Ticket.owner), orm.selectinload(Ticket.notes)]
    return _found(await session.get(Ticket, ticket_id, options=options), ticket_id)


@router.post("/tickets", response_model=TicketOut, status_code=201)
async def create_ticket(given: TicketIn, session: Session) -> Ticket:
    ticket = Ticket(**given.model_dump())
    session.add(ticket)
    await _commit(session)
    return ticket


@router.patch("/tickets/{ticket_id}", response_model=TicketOut)
async def update_ticket(ticket_id: int, given: TicketPatch, session: Session) -> Ticket:
    ticket = _found(await session.get(Ticket, ticket_id), ticket_id)
    for name, value in given.model_dump(exclude_unset=True).items():
        setattr(ticket, name, value)
    await _commit(session)
    return ticket


def build(url: str) -> object:
    """The ASGI application over a database."""
    engine = make_engine(url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(title="Tickets", lifespan=lifespan)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.include_router(router)
    return app


def seed(url: str, amount: data.Amount) -> None:
    """Create the tables and fill them."""
    asyncio.run(_seed(url, amount))


async def _seed(url: str, amount: data.Amount) -> None:
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(sa.insert(Person), data.people(amount))
        await connection.execute(sa.insert(Ticket), data.tickets(amount))
        await connection.execute(sa.insert(Note), data.notes(amount))
    await engine.dispose()


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except IntegrityError as error:
        raise HTTPException(409, "the owner does not exist") from error


def _found(ticket: Ticket | None, ticket_id: int) -> Ticket:
    if ticket is None:
        raise HTTPException(404, f"ticket {ticket_id} does not exist")
    return ticket


def _cursor(found: Sequence[Ticket], limit: int) -> str | None:
    return base64.urlsafe_b64encode(str(found[limit - 1].id).encode()).decode() if len(found) > limit else None


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, "unknown cursor") from error
