"""Reporting a delay: the command, its rules, the row, the event, and the job that tells operations."""

from datetime import datetime

from examples.flights.models import Flight
from loom.core import Compute, F, Input, LoadById, Rule, UseCase, command, entity, event, field, key

REASONS = ("carrier", "weather", "airspace", "security", "late aircraft")
LONGEST_DELAY = 48 * 60
"""Minutes; the longest delay of 2013 was 1,301."""


@entity(table="delay_reports")
class DelayReport:
    """What was reported, as it was reported."""

    id: int = key(autoincrement=True)
    flight_id: str = field(max_length=24, references="flights.id", index=True)
    minutes: int
    reason: str = field(max_length=40)


@command
class NewDelay:
    """A flight is late by so many minutes, for one of ``REASONS``."""

    flight_id: str = field(max_length=24)
    minutes: int
    reason: str = field(max_length=40)


@event(topic="flights.delays", key="flight_id")
class DelayReported:
    """A delay was reported and stored."""

    report_id: int
    flight_id: str
    carrier: str
    origin: str
    minutes: int
    reason: str
    time_hour: datetime


class ReportDelay(UseCase[DelayReport, DelayReport]):
    """Store a delay of a known flight and tell the rest of the system."""

    computes = [Compute.set(F(NewDelay).reason).from_command(F(NewDelay).reason, via=str.strip)]
    rules = [
        Rule.require(F(NewDelay).minutes.between(1, LONGEST_DELAY), message="a delay is between 1 minute and 2 days"),
        Rule.require(F(NewDelay).reason.is_in(REASONS), message=f"the reason is one of: {', '.join(REASONS)}"),
    ]

    async def execute(self, cmd: NewDelay = Input(), flight: Flight = LoadById(Flight, by="flight_id")) -> DelayReport:
        report = await self.main_repo.create(cmd)
        self.emit(
            DelayReported(
                report_id=report.id,
                flight_id=flight.id,
                carrier=flight.carrier,
                origin=flight.origin,
                minutes=report.minutes,
                reason=report.reason,
                time_hour=flight.time_hour,
            )
        )
        return report
