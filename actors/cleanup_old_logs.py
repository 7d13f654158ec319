"""The job `cleanup-old-logs`."""

import time
from typing import Any

import dramatiq
from sqlalchemy.exc import OperationalError

from callboard import cron, progress
from callboard.actors.database import engine
from callboard.core.settings import load_settings
from callboard.storage.locks import is_busy
from callboard.storage.retention import (
    count_old_executions,
    delete_old_rollups,
    delete_old_runs,
    drop_old_week,
)

#: How often in all a week is tried that somebody holds on to, and seconds from one try to the next.
TRIES = 10
PAUSE_S = 1.0


@dramatiq.actor(
    actor_name="cleanup-old-logs",
    description="Archive or delete old log entries",
    category="cleanup",
    periodic=cron("0 0 * * 0"),
    time_limit=600_000,
    max_retries=0,
    mutex=True,
)
def cleanup_old_logs(
    days: int | None = None, batch_size: int = 1000, dry_run: bool = False
) -> dict[str, Any]:
    """Delete the executions older than `days` (the setting CALLBOARD_RETENTION_DAYS), with their logs.

    Whole weeks are dropped, each in a moment; what is left goes batch by batch. Runs that have not finished
    stay. Trends outlive the executions: rollups are kept longer, and the coarser ones longest.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    kept = load_settings().callboard_retention_days if days is None else days
    with engine().begin() as connection:
        total = count_old_executions(connection, kept)
    if dry_run:
        return {"processed": 0, "failed": 0, "found": total, "dry_run": True}
    done = _drop_weeks(kept)
    while True:
        progress(done, max(total, done), "executions deleted")
        with engine().begin() as connection:
            batch = delete_old_runs(connection, kept, batch_size)
        done += batch.executions
        if batch.runs == 0 and batch.occurrences == 0:
            break
    rollups = 1
    while rollups:
        with engine().begin() as connection:
            rollups = delete_old_rollups(connection, batch_size)
    return {"processed": done, "failed": 0}


def _drop_weeks(days: int) -> int:
    """Drop whole weeks. One that somebody holds on to is left, for its rows to be deleted singly."""
    done = tries = 0
    while tries < TRIES:
        try:
            with engine().begin() as connection:
                dropped = drop_old_week(connection, days)
        except OperationalError as error:
            if not is_busy(error):
                raise
            tries += 1
            time.sleep(PAUSE_S)
            continue
        if dropped.weeks == 0:
            break
        done += dropped.executions
        progress(done, None, "executions deleted")
    return done
