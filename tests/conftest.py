"""Registers the real servers; each one starts only when a test asks for it."""

import pytest

# Contracts live in the package, where a failed assertion would not say what it compared.
pytest.register_assert_rewrite("loom.testing.contracts")

pytest_plugins = [
    "tests.servers.report",
    "tests.servers.postgres",
    "tests.servers.redis",
    "tests.servers.kafka",
    "tests.servers.spark",
]
