"""Prints at the end of a run which parts were real."""

import pytest

from tests.servers import parts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("real parts")
    for line in parts.summary():
        terminalreporter.write_line(line)
