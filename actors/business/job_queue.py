"""The job queue's own housekeeping."""

from typing import Any

import dramatiq

from callboard import cron, progress
from callboard.actors.database import engine
from callboard.storage.job_queue import count_succeeded, delete_succeeded

#: The jobs that the queue was made for, whoever has asked for a run of them.
JOBS = ("game_platform_sync", "game_platform_totals_sweep", "game_platform_full_sync")


@dramatiq.actor(
    actor_name="job_queue_cleanup",
    description="Delete what the job queue has done more than 14 days ago",
    category="cleanup",
    periodic=cron("15 3 * * *", name="job_queue_cleanup_daily"),
    time_limit=600_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
)
def job_queue_cleanup(days: int = 14, batch_size: int = 1000, dry_run: bool = False) -> dict[str, Any]:
    """Delete runs that succeeded more than `days` days ago, with their log lines.

    These are the runs that `job_queue_enqueue` has asked for, and all of the game platform's jobs; what
    failed stays, and other jobs' runs are kept as long as the setting CALLBOARD_RETENTION_DAYS says. Figures
    and trends outlive the runs.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    if days < 1:
        raise ValueError(f"days is {days}; it must be at least 1.")
    with engine().connect() as connection:
        total = count_succeeded(connection, days, JOBS)
    if dry_run:
        return {"processed": 0, "failed": 0, "found": total, "dry_run": True}
    done, deleted = 0, batch_size
    while deleted == batch_size:
        with engine().begin() as connection:
            deleted = delete_succeeded(connection, days, JOBS, batch_size)
        done += deleted
        progress(done, max(total, done), "runs deleted")
    return {"processed": done, "failed": 0}
