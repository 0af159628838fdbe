"""Settings of the Prometheus adapter."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class PrometheusSettings:
    """What is counted beside the application.

    Attributes:
        process: memory, processor time and open files of the process, and its garbage collections.
    """

    process: bool = True
