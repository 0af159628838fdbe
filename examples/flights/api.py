"""The HTTP face of the catalogue and of delay reports."""

from examples.flights.delays import DelayReport, ReportDelay
from examples.flights.models import Airline, Airport, Flight
from loom.rest import PaginationMode, RestInterface, RestRoute


class AirlineInterface(RestInterface[Airline]):
    prefix = "/airlines"
    tags = ("catalogue",)
    auto = True
    pagination_mode = PaginationMode.OFFSET


class AirportInterface(RestInterface[Airport]):
    prefix = "/airports"
    tags = ("catalogue",)
    auto = True


class FlightInterface(RestInterface[Flight]):
    prefix = "/flights"
    tags = ("catalogue",)
    auto = True


class DelayInterface(RestInterface[DelayReport]):
    """Reports are made through the use case; nobody edits one."""

    prefix = "/delays"
    tags = ("operations",)
    auto = True
    include = ("list", "get")
    routes = (RestRoute(use_case=ReportDelay, method="POST", status_code=201),)
