"""Every log line has one form, carries the correlation id, and holds no secret, whoever wrote it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from loom.adapters.structlog.settings import LogSettings
from loom.adapters.structlog.setup import set_up_logging
from loom.domain.context import Context, Principal, current_context


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was before the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    set_up_logging(LogSettings(format="silent"))
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def running() -> Iterator[Context]:
    """A scope that runs."""
    context = Context(correlation_id="abc", principal=Principal(subject="ann"))
    token = current_context.set(context)
    yield context
    current_context.reset(token)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in found:
        assert line.pop("timestamp").endswith("Z")
    return found


def connect(password: str) -> None:
    raise ValueError(f"no answer from pg://u:{password}@h")


def json_logs(**settings: Any) -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(LogSettings(format="json", **settings), stream=stream)
    return stream


@pytest.mark.usefixtures("running")
def test_both_kinds_of_logger_write_the_same_line() -> None:
    stream = json_logs()
    structlog.get_logger("shop").info("paid %s", "now", order=7)
    logging.getLogger("shop").info("paid %s", "now", extra={"order": 7})
    expected = {
        "event": "paid now",
        "logger": "shop",
        "level": "info",
        "order": 7,
        "correlation_id": "abc",
        "principal": "ann",
    }
    assert lines(stream) == [expected, expected]


def test_outside_a_scope_there_is_no_correlation_id() -> None:
    stream = json_logs()
    structlog.get_logger("shop").info("started")
    assert lines(stream) == [{"event": "started", "logger": "shop", "level": "info"}]


def test_secrets_are_hidden_by_name_and_inside_addresses() -> None:
    """At every depth, in the text of the line, and in tracebacks, which show no local variables."""
    stream = json_logs()
    log = structlog.get_logger("shop")
    log.info("connect to redis://:hunter2@h", password="hunter2", order={"card_token": "hunter2", "n": 1})
    logging.getLogger("lib").warning("at %s", "pg://u:hunter2@h", extra={"api_key": "hunter2"})
    try:
        connect("hunter2")
    except ValueError:
        log.exception("failed")
    # The traceback quotes the line of the test itself.
    assert "hunter2" not in stream.getvalue().replace('connect(\\"hunter2\\")', "")
    first, second, third = lines(stream)
    assert first["order"] == {"card_token": "***", "n": 1}
    assert second["event"] == "at pg://u:***@h"
    assert third["exception"].endswith("ValueError: no answer from pg://u:***@h")


def test_levels_are_those_of_the_configuration() -> None:
    """For all loggers, and for one by name; a later call takes back what an earlier one set."""
    stream = json_logs(level="warning", levels={"noisy": "error", "curious": "debug"})
    for name in ("shop", "noisy", "curious"):
        for logger in (structlog.get_logger(name), logging.getLogger(name)):
            logger.debug("debug")
            logger.warning("warning")
    assert [(line["logger"], line["level"]) for line in lines(stream)] == [
        *[("shop", "warning")] * 2,
        *[("curious", "debug"), ("curious", "warning")] * 2,
    ]
    again = json_logs(level="warning")
    logging.getLogger("noisy").warning("heard again")
    assert [line["event"] for line in lines(again)] == ["heard again"]


@pytest.mark.usefixtures("running")
def test_the_console_has_one_readable_line() -> None:
    stream = io.StringIO()
    set_up_logging(LogSettings(), stream=stream)
    structlog.get_logger("shop").info("paid", order=7, token="hunter2")
    line = stream.getvalue()
    assert line.count("\n") == 1
    for part in ("[info", "paid", "[shop]", "correlation_id=abc", "order=7", "token=***"):
        assert part in line


def test_silent_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even the last resort of the standard library."""
    stream = io.StringIO()
    set_up_logging(LogSettings(format="silent"), stream=stream)
    structlog.get_logger("shop").critical("fire")
    logging.getLogger("lib").critical("fire")
    logging.critical("fire")  # libraries do
    assert stream.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_set_up_again_replaces_and_leaves_other_handlers_alone() -> None:
    root = logging.getLogger()
    other = logging.NullHandler()
    root.addHandler(other)
    first, second = json_logs(), json_logs()
    logging.getLogger("lib").warning("once")
    assert (len(lines(first)), len(lines(second))) == (0, 1)
    assert other in root.handlers


SET_UP = """
import io, json, logging, sys
from loom.adapters.structlog.settings import LogSettings
from loom.adapters.structlog.setup import set_up_logging

stream = io.StringIO()
finders = len(sys.meta_path)
set_up_logging(LogSettings(), stream=io.StringIO())
set_up_logging(LogSettings(format="json"), stream=stream)
assert not {"structlog", "rich"} & set(sys.modules)
"""
STRUCTLOG = """
import structlog
structlog.get_logger("shop").info("paid")
"""
LIBRARY = """
logging.getLogger("lib").warning("heard")
"""
TOLD = """
assert len(sys.meta_path) == finders
print([json.loads(line)["logger"] for line in stream.getvalue().splitlines()])
"""


@pytest.mark.parametrize(
    ("lines", "loggers"), [((STRUCTLOG, LIBRARY), ["shop", "lib"]), ((LIBRARY, STRUCTLOG), ["lib", "shop"])]
)
def test_structlog_is_imported_and_configured_when_it_is_needed(lines: tuple[str, ...], loggers: list[str]) -> None:
    """By the application or for the first line of a library; setting up does not import it."""
    script = "".join([SET_UP, *lines, TOLD])
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", f"{loggers}\n")


def test_setting_up_again_waits_for_structlog_once() -> None:
    script = SET_UP + "import sys\nprint([type(each).__name__ for each in sys.meta_path].count('_Awaited'))\n"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "1\n")


@pytest.mark.usefixtures("running")
def test_no_text_begins_a_line_of_its_own_or_steers_a_terminal() -> None:
    """The console format: what a client sends is told as text, whatever stands in it."""
    forged = "x\r\n2026-01-01T00:00:00.000000Z [info     ] all is well\x1b[2J\x9b1m\u2028\u202e\x85\x00"
    stream = io.StringIO()
    set_up_logging(LogSettings(format="console"), stream=stream)
    log = logging.getLogger("shop")
    log.warning("no such path %s", forged)
    log.warning("path", extra={"path": forged, "others": [forged], "by": {"x": forged}})
    structlog.get_logger("shop").warning(forged, agent=forged)
    try:
        raise ValueError(forged)
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert text.count("all is well") >= 7
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    records = [line for line in text.split("\n") if line.startswith("2026-") or line[:1].isdigit()]
    assert len(records) == 4


def test_a_traceback_keeps_its_lines() -> None:
    stream = io.StringIO()
    set_up_logging(LogSettings(format="console"), stream=stream)
    try:
        raise ValueError("wrong")
    except ValueError:
        logging.getLogger("shop").exception("failed")
    shown = stream.getvalue().splitlines()
    assert "  Traceback (most recent call last):" in shown
    assert shown[-1] == "  ValueError: wrong"
