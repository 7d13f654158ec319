"""Figures of opportunities, day by day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Item, work_through
from callboard.core.clock import utcnow
from callboard.storage.business import opportunity_analytics


class Day(NamedTuple):
    """A day whose figures are due."""

    id: date


@dramatiq.actor(
    actor_name="aggregate-opportunity-analytics",
    description="Aggregate daily opportunity pipeline metrics",
    category="analytics",
    periodic=cron("0 1 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def aggregate_opportunity_analytics(
    days: int | None = 7, batch_size: int = 31, dry_run: bool = False
) -> dict[str, Any]:
    """Count what happened to opportunities on each of the last `days` days (UTC), today among them.

    Counting them anew takes in what has come late; `null` days are all that there are. A day's rows that are
    right already are left alone.
    """
    now = utcnow()
    today = now.date()
    if days is None:
        with engine().connect() as connection:
            first = opportunity_analytics.first_day(connection) or today
    elif days >= 1:
        first = today - timedelta(days=min(days, 36_500) - 1)
    else:
        raise ValueError(f"days is {days}; it must be at least 1, or null for all days.")
    every = [Day(first + timedelta(days=number)) for number in range((today - first).days + 1)]

    def fetch(_connection: Connection, after: date | None, limit: int) -> Sequence[Item]:
        start = 0 if after is None else (after - first).days + 1
        return every[start : start + limit]

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        row = opportunity_analytics.compute(connection, [item.id for item in items], now)
        return {"changed": row.changed, "removed": row.removed}

    return work_through(
        "aggregate-opportunity-analytics",
        "days",
        fetch,
        handle,
        count=lambda _connection: len(every),
        batch_size=batch_size,
        dry_run=dry_run,
        what="days counted",
    )
