"""Prints at the end of a run which parts were real, whichever of its processes used them."""

from typing import Any

import pytest

from tests.servers import parts

_TOLD = "loom_parts"


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_TOLD] = parts.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of the run has ended; called in the one that reports."""
    found = getattr(node, "workeroutput", {}).get(_TOLD)
    if found is not None:
        parts.hear(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("real parts")
    for line in parts.summary():
        terminalreporter.write_line(line)
