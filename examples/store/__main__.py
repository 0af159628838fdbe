"""Serves the shop on loopback: ``python -m examples.store``, with further YAML files behind it where there are any.

Its database is ``store.db`` in the working folder; a new one is filled first. ``STORE_PORT`` chooses another port.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from examples.store.shelves import FillShelves
from loom.core import Kernel
from loom.rest import app_of

CONFIG = Path(__file__).parent / "config" / "embedded.yaml"
GREETING = """\
The store runs at {url} (its document: {url}/docs; end it with Ctrl-C). Try:

  curl '{url}/products?price.le=5&sort=-price'
  curl -H 'Authorization: Bearer ann' {url}/users/1/addresses
  curl -H 'Authorization: Bearer ann' -H 'Content-Type: application/json' {url}/orders \\
    -d '{{"address_id": 1, "lines": [{{"product_id": 1, "quantity": 2}}]}}'
  curl -H 'Authorization: Bearer ann' '{url}/orders/1?profile=with_lines'
  curl -H 'Authorization: Bearer clerk' -H 'Content-Type: application/json' {url}/products/1/restock \\
    -d '{{"pieces": 2}}'
"""


async def serve(files: Sequence[str | Path]) -> None:
    """Serve until the process is told to end."""
    kernel = Kernel.from_yaml(*files)
    port = kernel.config.adapters["rest"].settings.port
    server = uvicorn.Server(uvicorn.Config(app_of(kernel), host="127.0.0.1", port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
            return
        await asyncio.sleep(0.01)
    await kernel.invoke(FillShelves)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(GREETING.format(url=f"http://127.0.0.1:{port}"), flush=True)
    await serving


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve([CONFIG, *sys.argv[1:]]))
