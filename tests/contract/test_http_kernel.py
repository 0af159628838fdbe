"""``create_app`` and ``mount``: a configured kernel behind HTTP, from YAML or from nothing."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from loom.config.kernel import Kernel
from loom.domain.errors import CompileError, ConfigError, Unavailable
from loom.ports.persistence import Persistence
from loom.ports.transport import Topics
from loom.rest import RestInterface, app_of, create_app, mount
from tests.unit.rest import rest_shop
from tests.unit.rest.rest_shop import Product

APPLE = {"sku": "A-1", "name": "Apple", "price": "1.20"}


def port(kernel: Kernel, wanted: Any) -> Any:
    return kernel.resolve(wanted)


def test_an_application_without_any_configuration_works() -> None:
    with TestClient(create_app(modules=[rest_shop])) as client:
        created = client.post("/products", json=APPLE)
        assert created.status_code == 201
        assert client.get(created.headers["location"]).json()["name"] == "Apple"
        assert client.get("/health/ready").status_code == 200


def test_yaml_names_the_api_and_limits_it(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(
        "app: {discovery: {include: [tests.unit.rest.rest_shop]}}\n"
        "rest: {title: Shop, version: '7', max_body_bytes: 64, cursor_secret: s3cret}\n"
    )
    with TestClient(create_app(file)) as client:
        assert client.get("/openapi.json").json()["info"] == {"title": "Shop", "version": "7"}
        assert client.post("/products", json=APPLE | {"name": "x" * 40}).status_code == 413


def test_a_misspelt_setting_is_told_before_anything_is_served(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text("rest: {max_body_byte: 64}\n")
    with pytest.raises(ConfigError, match="did you mean 'max_body_bytes'"):
        create_app(file)


def test_every_issue_is_told_before_anything_is_served() -> None:
    module = ModuleType("misspelt")

    class Misspelt(RestInterface[Product]):
        prefx = "/products"

    class Wrong(RestInterface[Product]):
        prefix = "/products"
        auto = True
        exclude = ("destroy",)

    for found in (Misspelt, Wrong):
        found.__module__ = module.__name__
        setattr(module, found.__name__, found)
    with pytest.raises(CompileError) as caught:
        create_app(modules=[module])
    assert [issue.code for issue in caught.value.issues] == ["LOOM-REST-001", "LOOM-REST-004"]


def test_events_of_a_request_reach_their_topic() -> None:
    kernel = Kernel.from_yaml(modules=[rest_shop])
    with TestClient(app_of(kernel)) as client:
        product = client.post("/products", json=APPLE).json()
        client.post(f"/products/{product['id']}/restock", json={"pieces": 3})
        deadline = time.monotonic() + 10
        arrived = 0
        while not arrived and time.monotonic() < deadline:
            assert client.portal is not None
            arrived = client.portal.call(port(kernel, Topics).counts, ["restocked"])["restocked"]
    assert arrived == 1


def test_a_kernel_serves_inside_an_application_that_exists() -> None:
    app, kernel = FastAPI(title="host"), Kernel.from_yaml(modules=[rest_shop])

    @app.get("/mine")
    def mine() -> dict[str, bool]:
        return {"running": kernel.running}

    mount(app, kernel)
    with TestClient(app) as client:
        assert client.get("/mine").json() == {"running": True}
        assert client.post("/products", json=APPLE).status_code == 201
    assert not kernel.running


def test_readiness_follows_the_store() -> None:
    kernel = Kernel.from_yaml(modules=[rest_shop])
    with TestClient(app_of(kernel)) as client:
        port(kernel, Persistence).faults.inject("begin", Unavailable("gone"))
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/ready").status_code == 200


def test_before_the_kernel_runs_nothing_is_ready() -> None:
    client = TestClient(app_of(Kernel.from_yaml(modules=[rest_shop])))
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503
