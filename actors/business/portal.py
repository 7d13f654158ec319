"""The portal: figures by day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dramatiq

from callboard import cron, progress
from callboard.actors.database import engine
from callboard.storage.business import portal


@dramatiq.actor(
    actor_name="aggregate-portal-analytics",
    description="Aggregate daily portal usage statistics",
    category="analytics",
    periodic=cron("0 1 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def aggregate_portal_analytics(days: int = 3, dry_run: bool = False) -> dict[str, Any]:
    """Compute the portal's figures of the last days that are over anew (UTC), late events included.

    So are those of the days before that have none since the last that has: nothing was at work then. A day or
    kind without events has no row.
    """
    if not 1 <= days <= 3_660:
        raise ValueError(f"days is {days}; it must be from 1 to 3660.")
    today = datetime.now(UTC).date()
    with engine().connect() as connection:
        over = portal.missed_days(connection, today - timedelta(days=days))
    over += [today - timedelta(days=ago) for ago in range(days, 0, -1)]
    rows = 0
    for number, day in enumerate(over, 1):
        with engine().connect() as connection, connection.begin() as transaction:
            rows += portal.aggregate(connection, day)
            if dry_run:
                transaction.rollback()
        progress(number, len(over), "days")
    counted: dict[str, Any] = {"days": len(over), "rows": rows}
    return {**counted, "dry_run": True} if dry_run else counted
