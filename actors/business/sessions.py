"""Customers' sessions in the portal."""

from collections.abc import Mapping, Sequence
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.items import Item, work_through
from callboard.storage.business import sessions

NAME = "cleanup-expired-portal-sessions"


@dramatiq.actor(
    actor_name=NAME,
    description="Mark the portal's expired sessions as deleted",
    category="cleanup",
    periodic=cron("30 * * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def cleanup_expired_portal_sessions(batch_size: int = 1000, dry_run: bool = False) -> dict[str, Any]:
    """Mark the sessions of the customers' portal that have expired as deleted; none is removed."""

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        sessions.mark_deleted(connection, [item.id for item in items])
        return {"deleted": len(items)}

    return work_through(
        NAME,
        "sessions",
        sessions.fetch_expired,
        handle,
        count=sessions.count_expired,
        batch_size=batch_size,
        dry_run=dry_run,
    )
