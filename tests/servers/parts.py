"""Which real parts this run used, and which were missing and why."""

import os
from typing import Any, NoReturn

import attrs
import pytest

REQUIRED = "LOOM_TEST_REQUIRE"
KNOWN = ("PostgreSQL", "Redis", "Kafka", "Spark")


@attrs.frozen
class Part:
    """One real part of a test run: what it is, and where it came from."""

    name: str
    version: str
    source: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.source})"


_real: dict[str, Part] = {}
_missing: dict[str, set[str]] = {}


def real(name: str, version: str, source: str) -> None:
    """Record that the tests of this run talk to a real part."""
    _real[name] = Part(name, version, source)


def missing(name: str, reason: str) -> NoReturn:
    """Skip the test for a named missing part, or fail it where the part is required."""
    _missing.setdefault(name, set()).add(reason)
    if is_required(name):
        pytest.fail(f"{name} is required by {REQUIRED} but missing: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


def told() -> dict[str, Any]:
    """What this process knows, as plain values that a worker of the run can send to the process that reports."""
    real_parts = {name: [part.version, part.source] for name, part in _real.items()}
    return {"real": real_parts, "missing": {name: sorted(reasons) for name, reasons in _missing.items()}}


def hear(told_by_worker: dict[str, Any]) -> None:
    """Take over what a worker of the run knows."""
    for name, (version, source) in told_by_worker["real"].items():
        real(name, version, source)
    for name, reasons in told_by_worker["missing"].items():
        _missing.setdefault(name, set()).update(reasons)


def summary() -> list[str]:
    """Lines for the end of a run: what was real, what was missing, what nobody asked for."""
    real_parts = ", ".join(str(_real[name]) for name in KNOWN if name in _real) or "none"
    lines = [f"real parts: {real_parts}"]
    lines += [f"missing:    {name}: {reason}" for name in KNOWN for reason in sorted(_missing.get(name, ()))]
    idle = [name for name in KNOWN if name not in _real and name not in _missing]
    if idle:
        lines.append(f"not used:   {', '.join(idle)}")
    return lines


def is_required(name: str) -> bool:
    required = {word.strip().lower() for word in os.environ.get(REQUIRED, "").split(",")}
    return "all" in required or name.lower() in required
