"""Promotions: giving them to customers, sending them, and their figures."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Item, work_through
from callboard.core.clock import EPOCH, utcnow
from callboard.core.courtesy import arrival_days, courteous
from callboard.core.wording import filled, one_line
from callboard.storage.business import promotion_analytics, promotions
from callboard.storage.business import promotion_triggers as triggers
from callboard.storage.business.messages import Message, Template, queue_messages
from callboard.storage.business.promotions import Settled
from callboard.storage.business.reach import time_zones

#: How long the outcome of a message is looked for.
FOLLOWED = timedelta(days=7)
#: For so many days more a customer counts as having just joined: that long may a trigger have been off.
GRACE_DAYS = 7


def _days(now: datetime) -> dict[str, Any]:
    """The day on which a message of now arrives in each time zone that a customer has, and in UTC."""
    with engine().connect() as connection:
        zones = time_zones(connection)
    days: Mapping[str, date] = arrival_days(now, {*zones, "UTC"})
    return {"days": {zone: day.isoformat() for zone, day in days.items()}, "today": days["UTC"]}


@dramatiq.actor(
    actor_name="process-promotion-deliveries",
    description="Deliver queued promotions to customers",
    category="promotions",
    periodic=cron("*/30 * * * *"),
    time_limit=300_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def process_promotion_deliveries(
    batch_size: int = 500,
    dry_run: bool = False,
    promotion_id: int | None = None,
    customer_id: int | None = None,
) -> dict[str, Any]:
    """Hand queued deliveries whose day has come to the outbound runner; end promotions whose time is over.

    Drafts and promotions that have not begun keep their deliveries queued. A delivery is passed over, with
    the reason, if its promotion has ended or will have before it may arrive, or if the customer has no
    telephone number or has not consented to WhatsApp and to promotions. One whose message fails for good
    becomes failed.
    """
    now = utcnow()
    scope = {"promotion_id": promotion_id, "customer_id": customer_id}
    which = {"now": now, **_days(now), **scope}
    with engine().connect() as connection, connection.begin() as transaction:
        ended = promotions.end_promotions(connection, promotion_id, now)
        failed = promotions.follow_messages(connection, {"since": now - FOLLOWED, **scope})
        if dry_run:
            transaction.rollback()

    def passed_over(item: Item) -> str | None:
        if item.reason is None and item.ends_at and courteous(now, item.time_zone) >= item.ends_at:
            return "the promotion ends before it may arrive"
        reason: str | None = item.reason
        return reason

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        reasons = {item.id: passed_over(item) for item in items}
        messages = [_message(item) for item in items if reasons[item.id] is None]
        queued = queue_messages(connection, messages, now)
        settled = [Settled(item.id, reasons[item.id], queued.get(f"delivery:{item.id}")) for item in items]
        promotions.settle(connection, settled, now)
        return {"sent": len(messages), "passed_over": len(items) - len(messages)}

    result = work_through(
        "process-promotion-deliveries",
        "promotion_deliveries",
        lambda connection, after, limit: promotions.fetch_due(connection, after, limit, which),
        handle,
        count=lambda connection: promotions.count_due(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="deliveries looked at",
    )
    return {**result, "promotions_ended": ended, "messages_failed": failed}


def _message(item: Item) -> Message:
    text = _text(item)
    return Message(
        f"delivery:{item.id}",
        item.customer_id,
        item.phone,
        text,
        item.time_zone,
        marketing=True,
        template=Template("promotion", (text,)),
    )


def _text(item: Item) -> str:
    values = {
        "name": one_line(item.name),
        "discount": f"{item.discount_percent}%",
        "promotion": one_line(item.promotion),
    }
    return filled(item.text, values)


@dramatiq.actor(
    actor_name="promotion-triggers",
    description="Check and trigger automated promotions",
    category="promotions",
    periodic=cron("0 10 * * *"),
    time_limit=600_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def promotion_triggers(
    batch_size: int = 500,
    dry_run: bool = False,
    promotion_id: int | None = None,
    customer_id: int | None = None,
) -> dict[str, Any]:
    """Queue promotions for the customers who have met the condition of a trigger.

    Birthdays are those of the day on which the message arrives where the customer lives, 29 February being
    28 February where there is none. Who joined `days` days ago, or at most a week before, gets it once. Who
    has had no work done for `days` days, or has spent the amount since the last time and within `days` days
    (0: ever), gets it again after the cooldown at the earliest. Customers without consent, and promotions
    that are not active, are left out.
    """
    now = utcnow()
    which = {
        "now": now,
        **_days(now),
        "grace_days": GRACE_DAYS,
        "promotion_id": promotion_id,
        "customer_id": customer_id,
    }

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        given = triggers.give(connection, [item.id for item in items], which)
        return {"queued": sum(given.values()), **given}

    result = work_through(
        "promotion-triggers",
        "customers",
        lambda connection, after, limit: triggers.fetch_wanting(connection, after, limit, which),
        handle,
        count=lambda connection: triggers.count_wanting(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="customers looked at",
    )
    if not dry_run and customer_id is None:
        with engine().begin() as connection:
            triggers.keep_evaluated(connection, which)
    return result


@dramatiq.actor(
    actor_name="calculate-promotion-analytics",
    description="Calculate promotion performance metrics",
    category="promotions",
    periodic=cron("0 2 * * *"),
    time_limit=300_000,
    max_retries=0,
    mutex=True,
)
def calculate_promotion_analytics(
    days: int | None = 30, batch_size: int = 100, dry_run: bool = False, promotion_id: int | None = None
) -> dict[str, Any]:
    """Count what has become of the deliveries that were queued on each of the last `days` days (UTC).

    Counting them anew takes in what was opened or redeemed late; `null` days are all that there are. A day's
    rows that are right already are left alone.
    """
    now = utcnow()
    if days is None:
        since = EPOCH
    elif days >= 1:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = max(midnight - timedelta(days=min(days, 36_500) - 1), EPOCH)
    else:
        raise ValueError(f"days is {days}; it must be at least 1, or null for all days.")

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        row = promotion_analytics.compute(connection, [item.id for item in items], since, now)
        return {"changed": row.changed, "removed": row.removed}

    return work_through(
        "calculate-promotion-analytics",
        "promotions",
        lambda connection, after, limit: promotion_analytics.fetch_promotions(
            connection, after, limit, promotion_id
        ),
        handle,
        count=lambda connection: promotion_analytics.count_promotions(connection, promotion_id),
        batch_size=batch_size,
        dry_run=dry_run,
        what="promotions counted",
    )
