"""Registers the real servers; each one starts only when a test asks for it."""

pytest_plugins = [
    "tests.servers.report",
    "tests.servers.postgres",
    "tests.servers.redis",
    "tests.servers.kafka",
    "tests.servers.spark",
]
