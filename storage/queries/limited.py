"""Reads that are broken off when they take too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


@contextmanager
def no_longer_than(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Have the server break off a statement that reads, should it take longer."""
    if seconds is None:
        yield
        return
    transaction = connection.begin_nested()
    try:
        limit = {"ms": str(max(int(seconds * 1000), 1))}
        connection.execute(text("SELECT set_config('statement_timeout', :ms, true)"), limit)
        yield
    finally:
        # Takes the setting back, too.
        transaction.rollback()
