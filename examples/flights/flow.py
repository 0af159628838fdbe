"""From reported delays to the log that operations read, and to the job that tells them."""

from collections.abc import Sequence

from examples.flights.delays import DelayReported
from examples.flights.notify import AlertOperations, MajorDelays
from loom.core import Application, ErrorEnvelope, entity, field, key, payload
from loom.streaming import (
    BatchStep,
    CollectBatch,
    FromTopic,
    IntoTable,
    IntoTopic,
    Process,
    RecordStep,
    Route,
    Router,
    StreamFlow,
)

MAJOR = 120
"""Minutes from which operations want to know at once."""


@entity(table="delay_log")
class LoggedDelay:
    """One reported delay as operations see it. ``severity`` is ``minor`` or ``major``."""

    report_id: int = key()
    flight_id: str = field(max_length=24)
    carrier: str = field(max_length=2)
    minutes: int
    severity: str = field(max_length=5, index=True)


def logged(report: DelayReported, severity: str) -> LoggedDelay:
    """The line of the log for a report."""
    return LoggedDelay(
        report_id=report.report_id,
        flight_id=report.flight_id,
        carrier=report.carrier,
        minutes=report.minutes,
        severity=severity,
    )


class LogMinor(RecordStep[DelayReported, LoggedDelay]):
    """A minor delay is logged and nothing else."""

    def process(self, report: DelayReported) -> LoggedDelay:
        return logged(report, "minor")


class AlertMajor(BatchStep[DelayReported, LoggedDelay]):
    """Major delays are logged, and operations are told once for each batch."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def process(self, batch: Sequence[DelayReported]) -> Sequence[LoggedDelay]:
        worst = max(batch, key=lambda report: report.minutes)
        await self.app.invoke(
            AlertOperations,
            MajorDelays(reports=len(batch), worst_flight=worst.flight_id, worst_minutes=worst.minutes),
        )
        return [logged(report, "major") for report in batch]


delays = StreamFlow(
    name="delays",
    source=FromTopic("flights.delays", payload=DelayReported),
    process=Process(
        Router(
            Route(
                when=payload.minutes >= MAJOR,
                process=Process(CollectBatch(max_records=25, timeout_ms=500), AlertMajor, IntoTable(LoggedDelay)),
            ),
            default=Process(LogMinor, CollectBatch(max_records=200, timeout_ms=500), IntoTable(LoggedDelay)),
        )
    ),
    errors=IntoTopic("flights.delays.dead", payload=ErrorEnvelope),
)
