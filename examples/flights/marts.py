"""What the pipeline derives. Units as in ``models``."""

from loom.core import entity, field, key


@entity(table="flight_conditions")
class FlightConditions:
    """A flight with the aeroplane that flew it and the weather at its scheduled hour, where they are known."""

    id: str = key(max_length=24)
    month: int
    day: int
    carrier: str = field(max_length=2)
    origin: str = field(max_length=3)
    dest: str = field(max_length=3)
    dep_delay: int | None = None
    distance: int
    manufacturer: str | None = None
    seats: int | None = None
    wind_speed: float | None = None
    precip: float | None = None
    visib: float | None = None


@entity(table="daily_delays")
class DailyDelay:
    """One carrier's day at one origin.

    ``departed``, ``cancelled``, ``late`` (by 15 minutes or more) and ``in_rain`` count flights; ``delay_minutes`` sums
    the minutes of late departures (early ones count 0); ``seats`` sums the seats of known aeroplanes.
    """

    month: int = key()
    day: int = key()
    carrier: str = key(max_length=2)
    origin: str = key(max_length=3)
    departed: int
    cancelled: int
    late: int
    in_rain: int
    delay_minutes: int
    seats: int
