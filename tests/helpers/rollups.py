"""Rollups that a test has written itself."""

from sqlalchemy import Connection, text

SUM = text("SELECT callboard.sum_queue_rollups('-infinity', 'infinity')")


SUM_SAMPLES = "SELECT callboard.sum_sample_hours('2000-01-01')"


def sum_samples(connection: Connection) -> None:
    """Have the hours of samples follow those that a test has written itself."""
    connection.execute(text("DELETE FROM callboard.queue_sample_hours"))
    connection.execute(text(SUM_SAMPLES))


def sum_queues(connection: Connection) -> None:
    """Have the rollups of queues follow those of their jobs."""
    connection.execute(SUM)
