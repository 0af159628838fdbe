"""Stores in databases, by SQLAlchemy's Core: SQLite embedded, PostgreSQL in production."""
