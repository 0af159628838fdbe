"""A shop over HTTP as a process of its own: ``python -m tests.integration.served_orders CONFIG PORT``.

Whoever places an order leaves a row and an event, in one transaction or not at all. ``Shop`` is the test's hold on the
process; the topic of the events comes from the environment, so that no two tests share one.
"""

import os
import resource
import socket
import sys
import uuid
from pathlib import Path

import attrs
import uvicorn

from loom.core import Input, UseCase, command, entity, event, field, key
from loom.rest import RestInterface, RestRoute, create_app
from tests.servers.process import Process, free_port, listens

TOPIC = "LOOM_TEST_ORDERS_TOPIC"


@entity(table="orders")
class Order:
    id: uuid.UUID = key()
    text: str = field(max_length=2000)


@command
class PlaceOrder:
    id: uuid.UUID
    text: str = field(max_length=2000)


@event(topic=os.environ.get(TOPIC, "orders"), key="id")
class OrderPlaced:
    id: uuid.UUID


class Place(UseCase[Order, Order]):
    """Stores an order and says so."""

    async def execute(self, cmd: PlaceOrder = Input()) -> Order:
        order = await self.main_repo.create(cmd)
        self.emit(OrderPlaced(id=order.id))
        return order


class OrderInterface(RestInterface[Order]):
    prefix = "/orders"
    auto = True
    include = ("get", "list")
    routes = (RestRoute(use_case=Place, method="POST", status_code=201),)


CONFIG = """\
app: {{name: orders, discovery: {{include: [tests.integration.served_orders]}}}}
persistence: {{adapter: sqlalchemy, url: "{url}"{options}}}
transport: {transport}
# A relay that was killed holds its claims for as long as the lease.
outbox: {{lease: 2, poll_interval: 0.1}}
observability: {{log: {{level: critical}}}}
"""


@attrs.define(eq=False)
class Shop:
    """The process, which may be killed and started again on the same port and data."""

    url: str
    brokers: str
    process: Process
    port: int

    @classmethod
    def over(cls, url: str, folder: Path, *, options: str = "", brokers: str = "") -> "Shop":
        """A shop over a database, not started yet; without brokers its topics end with it. ``options`` is YAML."""
        config, port = folder / "orders.yaml", free_port()
        transport = f'{{adapter: kafka, brokers: "{brokers}"}}' if brokers else "{adapter: memory}"
        config.write_text(CONFIG.format(url=url, options=options, transport=transport))
        command = [sys.executable, "-m", "tests.integration.served_orders", str(config), str(port)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), TOPIC: f"orders.{uuid.uuid4().hex[:12]}"}
        return cls(url, brokers, Process("shop", command, folder / "orders.log", env=env), port)

    @property
    def topic(self) -> str:
        """Where the events go."""
        return (self.process.env or {})[TOPIC]

    def start(self) -> None:
        """Start it, and return when it answers."""
        self.process.start(ready=lambda: listens(self.port), timeout=40)

    def limit_files(self, size: int) -> None:
        """Let no file of the process grow beyond a size in bytes, as a full disk would."""
        assert self.process.pid is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _main(config: str, port: str) -> None:
    with socket.socket() as listener:
        # A port whose process was killed is taken over at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(port)))
        server = uvicorn.Server(uvicorn.Config(create_app(config), log_level="critical", access_log=False))
        server.run(sockets=[listener])


if __name__ == "__main__":
    _main(*sys.argv[1:])
