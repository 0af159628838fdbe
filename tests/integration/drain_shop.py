"""An API whose requests take a moment, served by a process of its own."""

from __future__ import annotations

import asyncio

from loom.core import Input, UseCase, command, entity, field, key
from loom.rest import RestInterface, RestRoute


@entity(table="entries")
class Entry:
    id: int = key(autoincrement=True)
    text: str = field(max_length=40)


@command
class Write:
    text: str
    seconds: float = 0.0


class WriteEntry(UseCase[Entry, Entry]):
    """Write an entry, and take a while before it is committed."""

    async def execute(self, cmd: Write = Input()) -> Entry:
        await asyncio.sleep(cmd.seconds)
        return await self.main_repo.create({"text": cmd.text})


class EntryInterface(RestInterface[Entry]):
    prefix = "/entries"
    auto = True
    routes = (RestRoute(use_case=WriteEntry, method="POST", status_code=201),)
