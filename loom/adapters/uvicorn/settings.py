"""Settings of the web server."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class UvicornSettings:
    """Where the server listens, and how it ends.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        drain: seconds for which it goes on accepting after SIGTERM.
        drain_timeout: seconds that accepted requests may take after that.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    drain: float = 0.0
    drain_timeout: int = 30
