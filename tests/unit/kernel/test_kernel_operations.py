"""What operators see of a kernel: drains, the collector, metrics of the outbox, security by configuration."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from loom.adapters.memory.metrics import MemoryMetrics
from loom.config.kernel import Kernel
from loom.config.rest_app import check_ready
from loom.config.show import show
from loom.core import CompileError, Forbidden, Principal, Unavailable, UseCase
from loom.ports.metrics import Metrics
from loom.ports.security import Authenticator, Authorizer
from loom.rest import app_of
from tests.unit.kernel import shop
from tests.unit.rest import tenants

QUIET = "observability.log.format=silent"
SECRET = "0123456789abcdef0123456789abcdef"


def shop_kernel() -> Kernel:
    kernel = Kernel.from_yaml(overrides=[QUIET], modules=[shop])
    kernel.bind(shop.Greeter, shop.Greeter())
    return kernel


async def test_a_draining_kernel_works_but_is_not_ready() -> None:
    async with shop_kernel() as kernel:
        await check_ready(kernel)
        kernel.begin_drain()
        with pytest.raises(Unavailable, match="about to end"):
            await check_ready(kernel)
        assert await kernel.invoke(shop.Add, shop.AddItem(name="Ann")) == "hello Ann"


async def test_what_start_up_made_is_out_of_the_collectors_sight_while_the_kernel_runs() -> None:
    before = gc.get_freeze_count()
    async with shop_kernel():
        assert gc.get_freeze_count() > before + 10_000
    assert gc.get_freeze_count() == 0


async def test_the_relay_is_counted() -> None:
    kernel, metrics = shop_kernel(), MemoryMetrics()
    kernel.bind(Metrics, metrics)
    async with kernel:
        await kernel.invoke(shop.Add, shop.AddItem(name="Ann"))
        await kernel.drain()
        assert metrics.value("loom_outbox_sent", kind="event") == 1
        assert metrics.value("loom_outbox_failed", kind="event") == 0


def config(folder: Path, text: str) -> Path:
    file = folder / "api.yaml"
    file.write_text(text)
    return file


JWT = f"""
security:
  adapter: jwt
  algorithms: [HS256]
  secret: {SECRET}
  audience: [notes]
"""


def token(**claims: Any) -> dict[str, str]:
    body = {"sub": "ann", "aud": "notes", "exp": int(time.time()) + 60, **claims}
    return {"authorization": f"Bearer {jwt.encode(body, SECRET, algorithm='HS256')}"}


def test_bearer_tokens_by_configuration(tmp_path: Path) -> None:
    kernel = Kernel.from_yaml(config(tmp_path, JWT), overrides=[QUIET], modules=[tenants])
    with TestClient(app_of(kernel)) as client:
        ours = token(tenant_id=str(tenants.OURS), scope="drafts:use")
        created = client.post("/notes", json={"text": "x"}, headers=ours)
        assert (created.status_code, created.json()["tenant_id"]) == (201, str(tenants.OURS))
        theirs = token(tenant_id=str(tenants.THEIRS))
        assert client.get(created.headers["location"], headers=theirs).status_code == 404
        assert client.get("/drafts", headers=ours).status_code == 200
        assert client.get("/drafts", headers=theirs).status_code == 403
        assert client.get("/notes", headers=token(exp=1)).status_code == 401
        assert client.get("/me/who").status_code == 200


def test_where_nobody_can_be_known_what_wants_callers_does_not_start() -> None:
    with pytest.raises(CompileError, match=r"security\.adapter is anonymous"):
        _ = Kernel.from_yaml(overrides=[QUIET], modules=[tenants]).plans


def test_an_authorizer_of_ones_own_decides(tmp_path: Path) -> None:
    class OfficeHours:
        async def authorize(self, principal: Principal, requires: object, operation: str) -> None:
            raise Forbidden(f"{principal.subject} may not {operation} at night")

    kernel = Kernel.from_yaml(config(tmp_path, JWT), overrides=[QUIET], modules=[tenants])
    kernel.bind(Authorizer, OfficeHours())
    with TestClient(app_of(kernel)) as client:
        refused = client.get("/me/greet", headers=token())
        assert (refused.status_code, refused.json()["detail"]) == (403, "ann may not Greet at night")
        assert client.get("/me/who", headers=token()).status_code == 200


def test_fixed_tokens_by_configuration(tmp_path: Path) -> None:
    text = "security: {adapter: memory, holders: [{token: t0ken, subject: bob, grants: [drafts:use]}]}"
    kernel = Kernel.from_yaml(config(tmp_path, text), overrides=[QUIET], modules=[tenants])
    assert "t0ken" not in repr(kernel.config.adapters["security"].settings)
    assert "t0ken" not in show(kernel.config)
    with TestClient(app_of(kernel)) as client:
        assert client.get("/me/greet", headers={"authorization": "Bearer t0ken"}).json() == "hello bob"


def test_without_security_the_authenticator_knows_nobody() -> None:
    assert Kernel.from_yaml().resolve(Authenticator).scheme is None


async def test_a_use_case_counts_what_is_its_own() -> None:
    class CountCats(UseCase[None, None]):
        def __init__(self, metrics: Metrics) -> None:
            self.cats = metrics.counter("cats", "Cats seen.")

        async def execute(self) -> None:
            self.cats.add()

    async with shop_kernel() as kernel:
        await kernel.invoke(CountCats)
        await kernel.invoke(CountCats)
        assert b"cats_total 2" in kernel.resolve(Metrics).exposition()[1]
