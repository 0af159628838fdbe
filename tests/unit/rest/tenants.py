"""Notes of several tenants: the API that the tests of security share."""

from __future__ import annotations

import enum
import uuid
from typing import Any

from loom.core import Context, Principal, UseCase, col, entity, field, key, principal
from loom.rest import RestInterface, RestRoute

OURS, THEIRS = uuid.UUID(int=1), uuid.UUID(int=2)


class State(enum.Enum):
    OPEN = "open"
    SHUT = "shut"


@entity(table="notes")
class Note:
    id: int = key(autoincrement=True)
    tenant_id: uuid.UUID = field()
    text: str = field(max_length=40)
    state: State = State.OPEN
    priority: int = 0


@entity(table="drafts")
class Draft:
    id: int = key(autoincrement=True)
    owner: str = field(max_length=40)
    text: str = field(max_length=40, default="")


class WhoAmI(UseCase[None, dict[str, Any]]):
    """Say who calls."""

    read_only = True

    def __init__(self, context: Context) -> None:
        self.context = context

    async def execute(self) -> dict[str, Any]:
        caller = self.context.principal
        return {"subject": caller.subject if caller else None}


class Greet(UseCase[None, str]):
    """Greet the caller."""

    read_only = True

    def __init__(self, caller: Principal) -> None:
        self.caller = caller

    async def execute(self) -> str:
        return f"hello {self.caller.subject}"


class NoteInterface(RestInterface[Note]):
    prefix = "/notes"
    auto = True
    bulk = ("create", "update", "delete")
    export = True
    scope = (col("tenant_id") == principal.tenant_id) & (col("state") == State.OPEN) & (col("priority") <= 5)
    filters = ("tenant_id", "text", "priority", "state")
    sorts = ("priority",)


class DraftInterface(RestInterface[Draft]):
    prefix = "/drafts"
    auto = True
    requires = ("drafts:use",)
    scope = principal.subject == col("owner")


class MeInterface(RestInterface[None]):
    prefix = "/me"
    routes = (
        RestRoute(use_case=WhoAmI, method="GET", path="/who", public=True),
        RestRoute(use_case=Greet, method="GET", path="/greet"),
        RestRoute(use_case=WhoAmI, method="GET", path="/admin", requires=("admin", "drafts:use")),
    )


INTERFACES: tuple[type[RestInterface[Any]], ...] = (NoteInterface, DraftInterface, MeInterface)
