"""Alembic migrations, run by `callboard.storage.migrate`."""
