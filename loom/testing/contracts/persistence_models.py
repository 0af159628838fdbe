"""The models of the persistence contract: together they hold every kind of column, key and constraint."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Literal

import attrs
import pytest
import pytest_asyncio

from loom.domain.absent import ABSENT, Patch
from loom.domain.frozen import frozen
from loom.domain.model import command, entity, field, key
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_guarded_models import GUARDED_MODELS


class Status(enum.StrEnum):
    DRAFT = "draft"
    FINAL = "final"


class Priority(enum.IntEnum):
    LOW = 2
    HIGH = 10


@frozen(kw_only=True)
class Address:
    city: str
    since: dt.date


@entity(table="contract_airlines")
class Airline:
    code: str = key(max_length=8)
    name: str = field(max_length=50, unique=True)


@entity(table="contract_flights")
class Flight:
    """A composite key, a reference that may be null, and columns to sort by that hold nulls and duplicates."""

    day: dt.date = key()
    number: int = key()
    airline: str | None = field(default=None, references="contract_airlines.code")
    origin: str | None = None
    delay: int | None = field(default=None, index=True)
    distance: float = 0.0


# Upper case is a name like any other.
@entity(table="contract_Products", timestamps=True)
class Product:
    id: int = key(autoincrement=True)
    sku: str = field(max_length=16, unique=True)
    name: str
    price: Decimal = field(precision=12, scale=2)
    stock: int = 0
    tags: list[str] = field(factory=list)


@entity(table="contract_documents")
class Document:
    """A column of every kind."""

    id: uuid.UUID = key()
    status: Status = Status.DRAFT
    priority: Priority = Priority.LOW
    grade: Literal["a", "b"] | None = None
    active: bool | None = None
    ratio: float | None = None
    amount: Decimal | None = field(default=None, precision=18, scale=4)
    day: dt.date | None = None
    opens: dt.time | None = None
    at: dt.datetime | None = None
    took: dt.timedelta | None = None
    body: bytes | None = field(default=None, max_length=512)
    meta: dict[str, Any] | None = None
    scores: tuple[Decimal, ...] = ()
    address: Address | None = None
    previous: list[Address] = field(factory=list)


@attrs.define
class Shelf:
    """A class of somebody else's domain: positional, validated, and with no loom in it."""

    code: str = attrs.field(validator=attrs.validators.matches_re("[A-Z]+-[0-9]+"))
    capacity: int = 10
    keeper: str | None = None


# Not a decorator: this is how a class is made an entity that cannot be edited.
entity(table="contract_shelves", key="code")(Shelf)


@command
class CreateProduct:
    sku: str
    name: str
    price: Decimal
    source: str = "test"


@command
class PatchProduct:
    name: Patch[str] = ABSENT
    stock: Patch[int] = ABSENT
    tags: Patch[list[str]] = ABSENT


MODELS = (Airline, Flight, Product, Document, Shelf, *GUARDED_MODELS)

EVERY_KIND = Document(
    id=uuid.UUID(int=7),
    status=Status.FINAL,
    priority=Priority.HIGH,
    grade="b",
    active=False,
    ratio=0.1,
    amount=Decimal("-12345678901234.5678"),
    day=dt.date(1999, 12, 31),
    opens=dt.time(23, 59, 59, 999999),
    at=dt.datetime(2013, 1, 1, 5, 15, 0, 1, tzinfo=dt.UTC),
    took=-dt.timedelta(days=1, seconds=3, microseconds=1),
    body=bytes(range(256)),
    meta={"nested": [1, {"deep": None}], "text": "Köln ✓"},
    scores=(Decimal("1.10"), Decimal(2)),
    address=Address(city="Łódź", since=dt.date(2001, 1, 1)),
    previous=[Address(city="B", since=dt.date(2000, 1, 1))],
)


class PersistenceSuite:
    """What the parts of the contract share: a started store with empty tables, and the clock that it was given."""

    async def make_persistence(self, clock: FakeClock) -> Persistence:
        """Open the store under test with no rows in it. Called once a test; the suite starts and stops it."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest_asyncio.fixture
    async def persistence(self, clock: FakeClock) -> AsyncIterator[Persistence]:
        opened = await self.make_persistence(clock)
        await opened.start(MODELS)
        yield opened
        await opened.stop()
