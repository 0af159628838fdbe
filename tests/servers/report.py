"""Shares the tests out among the processes of a run, and prints at its end which parts were real."""

from typing import Any

import pytest

from tests.servers import parts

_TOLD = "loom_parts"


# Before the plugin that shares them out looks at the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one file in one process, and those of Spark too: two JVMs are slower than one."""
    for item in items:
        on_spark = "spark" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("spark" if on_spark else item.nodeid.partition("::")[0]))


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
