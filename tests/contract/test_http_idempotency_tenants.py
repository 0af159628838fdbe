"""One subject that acts for two tenants is two callers: neither is answered with what the other one's key did."""

from __future__ import annotations

import json
import sys

from loom.core import Kernel, UseCase, col, entity, field, key, principal
from loom.rest import RestInterface, RestRoute
from loom.testing import HttpTestHarness


@entity(table="keyed_notes")
class Note:
    id: int = key(autoincrement=True)
    tenant: int = field()
    text: str = field(max_length=50)


class Remark(UseCase[Note, Note]):
    async def execute(self, tenant: int) -> Note:
        return await self.main_repo.create({"tenant": tenant, "text": "a remark"})


class Notes(RestInterface[Note]):
    prefix = "/notes"
    auto = True
    scope = col("tenant") == principal.org.tenant


class Remarks(RestInterface[None]):
    prefix = "/remarks"
    routes = (RestRoute(use_case=Remark, method="POST"),)


def token(name: str, tenant: int, issued_at: int) -> dict[str, object]:
    return {"token": name, "subject": "ann", "claims": {"org": {"tenant": tenant}, "iat": issued_at}}


HOLDERS = json.dumps([token("one", 1, 10), token("two", 2, 10), token("one-renewed", 1, 20)])


async def test_a_key_belongs_to_the_subject_and_its_tenant() -> None:
    overrides = ["security.adapter=memory", f"security.holders={HOLDERS}", "observability.log.format=silent"]
    kernel = Kernel.from_yaml(modules=[sys.modules[__name__]], overrides=overrides)
    async with HttpTestHarness(kernel) as http:
        for path, sent in (("/notes", {"text": "same"}), ("/remarks?tenant=1", None)):
            first = await http.post(path, json=sent, bearer="one", idempotency_key="k" + path)
            other = await http.post(path, json=sent, bearer="two", idempotency_key="k" + path)
            again = await http.post(path, json=sent, bearer="one-renewed", idempotency_key="k" + path)
            assert [first.status, other.status, again.status] == [first.status] * 3
            assert "idempotency-replayed" not in other.headers
            assert other.json["id"] != first.json["id"]
            # A new token of the same caller is the same caller.
            assert again.headers["idempotency-replayed"] == "true"
            assert again.json == first.json
        assert [row["tenant"] for row in (await http.get("/notes", bearer="two")).json["items"]] == [2]
