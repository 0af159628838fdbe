"""What the kernel counts of itself: the outbox, and what the relay does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.application.outbox.relay import Watch
from loom.domain.events import OutboxKind
from loom.ports.metrics import Metrics

if TYPE_CHECKING:
    from loom.config.kernel import Kernel


def count_sent(metrics: Metrics) -> Watch:
    """Counts records that the relay has sent."""
    return _counting(metrics, "loom_outbox_sent", "Outbox records that their receiver holds.")


def count_failed(metrics: Metrics) -> Watch:
    """Counts records that the relay could not send."""
    return _counting(metrics, "loom_outbox_failed", "Attempts to send an outbox record that failed.")


async def refresh_outbox(kernel: Kernel, metrics: Metrics) -> None:
    """Bring the number of waiting records up to date.

    Raises:
        LoomError: the store does not answer.
    """
    if kernel.running:
        pending = await kernel.relay.store.pending()
        metrics.gauge("loom_outbox_pending", "Outbox records that wait to be sent.").set(pending)


def _counting(metrics: Metrics, name: str, description: str) -> Watch:
    # Both series are there from the start, so that a rate over them is 0 and not absent.
    counters = {kind: metrics.counter(name, description, kind=kind.value) for kind in OutboxKind}
    return lambda kind, count: counters[kind].add(count)
