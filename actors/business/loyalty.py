"""Loyalty: tiers."""

from collections.abc import Mapping, Sequence
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.items import Item, work_through
from callboard.storage.business import loyalty


@dramatiq.actor(
    actor_name="process-tier-upgrades",
    description="Check and process customer tier upgrades",
    category="loyalty",
    periodic=cron("0 3 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def process_tier_upgrades(batch_size: int = 500, dry_run: bool = False) -> dict[str, Any]:
    """Credit the points of completed jobs, then give every customer the highest tier that the points reach.

    A job earns a point for each euro, times the multiplier of the customer's tier; a new tier brings its
    bonus. Each is given once. Nobody loses a tier.
    """

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        ids = [item.id for item in items]
        credited, upgraded = loyalty.credit_jobs(connection, ids), set[int]()
        # A bonus may reach the next tier.
        while risen := loyalty.upgrade(connection, ids):
            upgraded |= risen
        return {"credited": credited, "upgraded": len(upgraded)}

    return work_through(
        "process-tier-upgrades",
        "customers",
        loyalty.fetch_due,
        handle,
        count=loyalty.count_due,
        batch_size=batch_size,
        dry_run=dry_run,
        what="customers looked at",
    )
