"""Routes whose paths loom answers itself: always, and where metrics are served."""

from __future__ import annotations

from loom.core import UseCase
from loom.rest import RestInterface, RestRoute


class Tell(UseCase[None, str]):
    read_only = True

    async def execute(self) -> str:
        return "mine"


class HealthInterface(RestInterface[None]):
    prefix = "/health"
    routes = (RestRoute(use_case=Tell, method="GET", path="/live"), RestRoute(use_case=Tell, method="GET", path="/all"))


class MetricsInterface(RestInterface[None]):
    prefix = "/metrics"
    routes = (RestRoute(use_case=Tell, method="POST"),)
