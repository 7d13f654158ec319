"""Rewards: achievements, and referrals."""

from collections.abc import Mapping, Sequence
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.items import Item, work_through
from callboard.storage.business import achievements, referrals
from callboard.storage.business.points import Gain, add_points

#: Points for the one who recommended, and for the one who came.
REFERRER, REFERRED = 200, 100
#: After so many days a referral counts no more.
HOLDS_DAYS = 180


@dramatiq.actor(
    actor_name="process-achievements",
    description="Check and award customer achievements",
    category="loyalty",
    periodic=cron("0 4 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def process_achievements(batch_size: int = 500, dry_run: bool = False) -> dict[str, Any]:
    """Award the achievements that customers have reached, each once, with its points."""

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        due = [
            (item.id, key, points)
            for item in items
            for key, points in zip(item.achievements, item.worth, strict=True)
        ]
        achievements.award(connection, [row[0] for row in due], [row[1] for row in due])
        add_points(
            connection, [Gain(customer, points, "achievement", str(key)) for customer, key, points in due]
        )
        return {"awarded": len(due)}

    return work_through(
        "process-achievements",
        "customers",
        achievements.fetch_due,
        handle,
        batch_size=batch_size,
        dry_run=dry_run,
        what="customers with achievements",
    )


@dramatiq.actor(
    actor_name="process-referrals",
    description="Check referral conversions and award points",
    category="loyalty",
    periodic=cron("0 */4 * * *"),
    time_limit=300_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def process_referrals(batch_size: int = 500, dry_run: bool = False) -> dict[str, Any]:
    """Reward both sides once the referred customer's first job is done; after 180 days it is too late."""

    def fetch(connection: Connection, after: int | None, limit: int) -> Sequence[Item]:
        return referrals.fetch_due(connection, after, limit, HOLDS_DAYS)

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        converted = [item for item in items if item.completed_at is not None]
        late = [item.id for item in items if item.completed_at is None]
        gains = []
        for item in converted:
            gains.append(Gain(item.referrer_id, REFERRER, "referral", str(item.id)))
            gains.append(Gain(item.referred_id, REFERRED, "referral", str(item.id)))
        referrals.reward(connection, [item.id for item in converted])
        referrals.expire(connection, late)
        add_points(connection, gains)
        return {"rewarded": len(converted), "expired": len(late)}

    return work_through(
        "process-referrals", "referrals", fetch, handle, batch_size=batch_size, dry_run=dry_run
    )
