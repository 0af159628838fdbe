"""The models of the persistence contract whose rows are guarded: versions, soft deletion, checks, partial indexes."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import attrs

from loom.domain.constraints import index
from loom.domain.expr import col
from loom.domain.model import entity, field, key


class Size(enum.StrEnum):
    SMALL = "small"
    LARGE = "large"


@entity(table="contract_tickets", version=True)
class Ticket:
    """A version and nothing else that the store keeps."""

    id: int = key(autoincrement=True)
    title: str
    version: int = 1
    parent: int | None = field(default=None, references="contract_tickets.id")


@entity(
    table="contract_members",
    timestamps=True,
    version="revision",
    soft_delete=True,
    indexes=[index("club", "seat", unique=True), index("club", unique=True, where=col("president") == True)],  # noqa: E712 - an expression
)
class Member:
    """Everything at once: deleted members give up their email, their seat and their office."""

    code: str = key(max_length=8)
    email: str = field(max_length=64, unique=True)
    club: str = "chess"
    seat: int | None = None
    president: bool = False
    sponsor: str | None = field(default=None, references="contract_members.code")


@entity(
    table="contract_offers",
    checks={
        "price_positive": col("price") > 0,
        "name_not_blank": ~col("name").like(" %") & (col("name") != ""),
        "ends_after_start": col("ends") > col("starts"),
        "large_is_dear": (col("size") == Size.SMALL) | (col("price") >= Decimal("9.50")),
        "not_quoted": col("name").is_in(["it's", '"']) == False,  # noqa: E712 - an expression
        "this_century": col("starts") >= dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
        "whole_hours": col("took") < dt.timedelta(hours=5),
    },
    indexes=[index("price", "name"), index("stock", where=col("stock") > 0)],
)
class Offer:
    """A check over every kind of column that may be compared."""

    id: int = key(autoincrement=True)
    name: str = "offer"
    price: Decimal = field(precision=12, scale=2)
    size: Size = Size.SMALL
    stock: int | None = None
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    took: dt.timedelta | None = None


@attrs.define
class Ledger:
    """A class of somebody else's that has a column for the version already, without a default."""

    name: str
    balance: int
    rev: int


entity(table="contract_ledgers", key="name", version="rev", checks={"not_overdrawn": col("balance") >= 0})(Ledger)

GUARDED_MODELS = (Ticket, Member, Offer, Ledger)
