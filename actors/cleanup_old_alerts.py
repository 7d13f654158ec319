"""The job `cleanup-old-alerts`."""

from typing import Any

import dramatiq

from callboard import cron
from callboard.actors.batches import remove_in_batches
from callboard.storage.housekeeping import old_alerts, old_breaker_changes, old_silences


@dramatiq.actor(
    actor_name="cleanup-old-alerts",
    description="Remove resolved alerts older than 90 days",
    category="cleanup",
    periodic=cron("0 0 1 * *"),
    time_limit=600_000,
    max_retries=0,
    mutex=True,
)
def cleanup_old_alerts(days: int = 90, batch_size: int = 1000, dry_run: bool = False) -> dict[str, Any]:
    """Remove alerts that were resolved, silences that ended and changes of breakers more than `days` ago."""
    return remove_in_batches(
        old_alerts(days),
        old_silences(days),
        old_breaker_changes(days),
        batch_size=batch_size,
        dry_run=dry_run,
    )
