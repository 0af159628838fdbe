"""Serves the shop on loopback: ``python -m examples.store``, with further YAML files behind it where there are any.

Its database is ``store.db`` in the working folder; a new one is filled first. ``STORE_PORT`` chooses another port.
"""

import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from examples.store.shelves import FillShelves
from loom.core import Kernel, LoomError
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
    async with kernel:
        await kernel.invoke(FillShelves)
    with socket.create_server(("127.0.0.1", kernel.config.adapters["rest"].settings.port)) as listening:
        host, port = listening.getsockname()
        print(GREETING.format(url=f"http://{host}:{port}"), flush=True)
        # The application starts the kernel again, and stops it when it ends.
        await uvicorn.Server(uvicorn.Config(app_of(kernel), log_level="warning")).serve(sockets=[listening])


if __name__ == "__main__":
    try:
        asyncio.run(serve([CONFIG, *sys.argv[1:]]))
    except KeyboardInterrupt:
        pass
    except (LoomError, OSError) as error:
        sys.exit(f"The store does not start: {error}")
