"""The job `cleanup-old-uptime-logs`."""

from typing import Any

import dramatiq

from callboard import cron
from callboard.actors.batches import remove_in_batches
from callboard.storage.housekeeping import old_uptime_checks


@dramatiq.actor(
    actor_name="cleanup-old-uptime-logs",
    description="Remove uptime logs older than 90 days",
    category="cleanup",
    periodic=cron("0 0 1 * *"),
    time_limit=600_000,
    max_retries=0,
    mutex=True,
)
def cleanup_old_uptime_logs(days: int = 90, batch_size: int = 1000, dry_run: bool = False) -> dict[str, Any]:
    """Remove the entries of the uptime log that are older than `days`."""
    return remove_in_batches(old_uptime_checks(days), batch_size=batch_size, dry_run=dry_run)
