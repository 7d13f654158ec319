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

    A day or kind without events has no row.
    """
    if not 1 <= days <= 3_660:
        raise ValueError(f"days is {days}; it must be from 1 to 3660.")
    today, rows = datetime.now(UTC).date(), 0
    for number in range(days, 0, -1):
        with engine().connect() as connection, connection.begin() as transaction:
            rows += portal.aggregate(connection, today - timedelta(days=number))
            if dry_run:
                transaction.rollback()
        progress(days - number + 1, days, "days")
    counted: dict[str, Any] = {"days": days, "rows": rows}
    return {**counted, "dry_run": True} if dry_run else counted
