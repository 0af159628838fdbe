"""FastAPI is as it always is, though the kernel imports it without building its OpenAPI models."""

import subprocess
import sys

SCRIPT = """
import json
import pydantic
from loom.rest import create_app

before = dict(pydantic.BaseModel.model_config)
app = create_app(overrides=["observability.log.level=error"])
assert dict(pydantic.BaseModel.model_config) == before

from fastapi.openapi.models import OpenAPI, Server
from fastapi.testclient import TestClient

assert not OpenAPI.__pydantic_complete__

class Order(pydantic.BaseModel):
    id: int
    tags: list[str] = []

assert Order.__pydantic_complete__

@app.post("/orders", response_model=Order, responses={404: {"description": "none"}})
def order(order: Order, q: int = 1) -> Order:
    return order

with TestClient(app) as client:
    print(client.post("/orders", json={"id": 1}).json())
    print(client.post("/orders", json={"id": "x"}).status_code)
    described = client.get("/openapi.json").json()
    print(sorted(described["paths"]["/orders"]["post"]["responses"]), "Order" in described["components"]["schemas"])
assert Server(url="https://a.example").url == "https://a.example"
try:
    OpenAPI(openapi=1)
except pydantic.ValidationError as error:
    print(error.error_count())
"""


def test_a_fastapi_application_with_routes_of_its_own_works() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["{'id': 1, 'tags': []}", "422", "['200', '404', '422'] True", "2"]
