"""FastAPI is as it always is, though the kernel imports it without building its OpenAPI models."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os
import pydantic
from loom.rest import create_app

def of_pydantic():
    return dict(pydantic.BaseModel.model_config), vars(pydantic.BaseModel)["model_rebuild"], dict(os.environ)

before = of_pydantic()
app = create_app(overrides=["observability.log.level=error"])
assert of_pydantic() == before

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


PLUGIN = """
class Plugin:
    def new_schema_validator(self, schema, kind, path, *rest):
        print(path.name.rpartition(".")[2])
        return None, None, None

plugin = Plugin()
"""

WITH_PLUGIN = """
from loom.rest import create_app

create_app(overrides=["observability.log.level=error"])
print("-")

import pydantic

class Order(pydantic.BaseModel):
    id: int
"""


def run(script: str, path: Path | str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environment)


def test_a_fastapi_application_with_routes_of_its_own_works() -> None:
    done = run(SCRIPT)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["{'id': 1, 'tags': []}", "422", "['200', '404', '422'] True", "2"]


def test_plugins_of_pydantic_see_the_models_of_the_application(tmp_path: Path) -> None:
    (tmp_path / "watching.py").write_text(PLUGIN)
    metadata = tmp_path / "watching-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: watching\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pydantic]\nwatching = watching:plugin\n")
    done = run(WITH_PLUGIN, tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["-", "Order"]
