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
    """Give every customer the highest tier that the points have reached. Nobody loses one."""

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        loyalty.upgrade(connection, [item.id for item in items], [item.reached_id for item in items])
        return {"upgraded": len(items)}

    return work_through(
        "process-tier-upgrades",
        "customers",
        loyalty.fetch_upgrades,
        handle,
        count=loyalty.count_upgrades,
        batch_size=batch_size,
        dry_run=dry_run,
        what="customers upgraded",
    )
