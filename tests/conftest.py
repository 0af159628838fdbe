"""Registers the real servers; each one starts only when a test asks for it."""

import logging
from collections.abc import Iterator

import pytest

# Contracts live in the package, where a failed assertion would not say what it compared.
pytest.register_assert_rewrite("loom.testing.contracts")

pytest_plugins = [
    "tests.servers.report",
    "tests.servers.sharing",
    "tests.servers.postgres",
    "tests.servers.redis",
    "tests.servers.kafka",
    "tests.servers.kafka_mock",
    "tests.servers.spark",
]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A kernel sets up the logging of its process; the next test must not find it silent."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
