"""The sections of the configuration, and what each holds beside the settings of its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from loom.adapters.structlog.settings import LogSettings
from loom.application.outbox.relay import RelaySettings
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Discovery:
    """Where the application's declarations are.

    Attributes:
        mode: ``modules`` imports modules and packages, with everything below them, and collects what they declare;
            ``manifest`` takes exactly what is listed.
        include: module names, or ``module:attribute`` in a manifest.
    """

    mode: Literal["modules", "manifest"] = "modules"
    include: tuple[str, ...] = ()


@frozen(kw_only=True)
class AppSection:
    """``app``: what the application is called, and where its declarations are.

    Attributes:
        name: of the application, in logs. The consumer group of a flow is this name, a dot and the flow's name; of an
            application that has no name of its own, the flow's name alone.
        discovery: where its declarations are.
    """

    name: str = "app"
    discovery: Discovery = attrs.field(factory=Discovery)


@frozen(kw_only=True)
class MetricsSection:
    """Metrics of the process.

    Attributes:
        enabled: count, and show what was counted by the Prometheus client.
        path: where the API shows it. Whoever can reach the API can read it there.
        process: memory, processor time and open files of the process, and its garbage collections.
    """

    enabled: bool = False
    path: str = attrs.field(default="/metrics", validator=attrs.validators.matches_re(r"(/[A-Za-z0-9._~-]+)+"))
    process: bool = True


@frozen(kw_only=True)
class ObservabilitySection:
    """``observability``: logging and metrics.

    Attributes:
        log: what is logged and how.
        metrics: what is counted.
    """

    log: LogSettings = attrs.field(factory=LogSettings)
    metrics: MetricsSection = attrs.field(factory=MetricsSection)


@frozen(kw_only=True)
class JobOverride:
    """What a deployment changes about one job; ``None`` leaves what the class says. Times are in seconds.

    Attributes:
        queue: where it waits.
        retries: further attempts after one that failed.
        timeout: how long one attempt may take.
        countdown: how long it waits after the dispatch.
        priority: 0 to 9; the highest of those that wait goes first.
    """

    queue: str | None = None
    retries: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    timeout: float | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.gt(0)))
    countdown: float | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    priority: int | None = None


@frozen(kw_only=True)
class JobsSection:
    """``jobs``: where jobs run, and what a deployment changes about single ones.

    Attributes:
        overrides: what is changed, by the name of the job's class.
    """

    overrides: Mapping[str, JobOverride] = attrs.field(factory=dict)


@frozen(kw_only=True)
class StreamingSection:
    """``streaming``: what runs flows, and what holds for every engine.

    Attributes:
        give_up_after: seconds for which a store or broker may be away before a flow stops. Until then the work is tried
            again, and nothing past it is committed; no failure policy is asked.
        groups: the consumer group of a flow, by the name of the flow, where it is not the flow's name behind
            ``app.name``.
    """

    give_up_after: float = attrs.field(default=600.0, validator=attrs.validators.ge(0))
    groups: Mapping[str, str] = attrs.field(factory=dict)


@frozen(kw_only=True)
class Nothing:
    """A section that holds nothing but its adapter."""


@frozen(kw_only=True)
class Section:
    """One line of the table of sections.

    Attributes:
        name: the key in the file.
        shape: the class of the section's own keys.
        adapter: the adapter where ``adapter:`` is not given; empty for a section that has none. The other keys of the
            section are then the adapter's settings.
    """

    name: str
    shape: type = Nothing
    adapter: str = ""


SECTIONS: tuple[Section, ...] = (
    Section(name="app", shape=AppSection),
    Section(name="persistence", adapter="memory"),
    Section(name="cache", adapter="none"),
    Section(name="outbox", shape=RelaySettings),
    Section(name="transport", adapter="memory"),
    Section(name="jobs", shape=JobsSection, adapter="inline"),
    Section(name="etl", adapter="polars"),
    Section(name="streaming", shape=StreamingSection, adapter="inline"),
    Section(name="rest", adapter="fastapi"),
    Section(name="security", adapter="anonymous"),
    Section(name="codec", adapter="json"),
    Section(name="observability", shape=ObservabilitySection),
)
"""Every section, in the order in which it is shown. Each has a default that needs no server."""
