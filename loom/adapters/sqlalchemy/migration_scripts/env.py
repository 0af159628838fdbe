"""What Alembic runs for each command. Everything it needs was put into the configuration by ``migrations``."""

from alembic import context

context.configure(**context.config.attributes["loom"])
with context.begin_transaction():
    context.run_migrations()
