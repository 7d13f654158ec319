"""The job `cleanup-expired-sessions`."""

from typing import Any

import dramatiq

from callboard import cron
from callboard.actors.batches import remove_in_batches
from callboard.storage.housekeeping import expired_sessions


@dramatiq.actor(
    actor_name="cleanup-expired-sessions",
    description="Remove expired authentication sessions",
    category="cleanup",
    periodic=cron("0 0 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def cleanup_expired_sessions(batch_size: int = 1000, dry_run: bool = False) -> dict[str, Any]:
    """Remove login sessions that have expired or were revoked."""
    return remove_in_batches(expired_sessions(), batch_size=batch_size, dry_run=dry_run)
