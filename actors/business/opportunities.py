"""Opportunities: offers for what was missed, and reminders of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.items import Item, work_through
from callboard.core.clock import utcnow
from callboard.core.courtesy import local
from callboard.core.wording import greeting, one_line
from callboard.storage.business import opportunities
from callboard.storage.business.messages import Message, Template, queue_messages

#: An offer comes this long after the chance was missed: a person has had the time to answer ...
WAIT = timedelta(days=2)
#: ... and not for what was missed longer ago than that.
TOO_LATE = timedelta(days=30)
VALID = timedelta(days=14)
#: What an opportunity of at least so many cents is worth in per cent, the dearest first.
DISCOUNTS = ((100_000, 15), (10_000, 10), (0, 5))
#: Days after the offer on which it is called to mind, and the least time between two messages.
STEPS = (3, 7)
PAUSE = timedelta(days=2)


def discount(value_cents: int) -> int:
    """What is offered for an opportunity of that value, in per cent."""
    return next(percent for least, percent in DISCOUNTS if value_cents >= least)


def _until(item: Item, moment: datetime) -> str:
    day = local(moment, item.time_zone)
    return f"{day.day} {day:%B %Y}"


@dramatiq.actor(
    actor_name="process-opportunity-offers",
    description="Send automated offers for missed opportunities",
    category="opportunities",
    periodic=cron("0 8 * * *"),
    time_limit=600_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
)
def process_opportunity_offers(
    batch_size: int = 500, dry_run: bool = False, customer_id: int | None = None
) -> dict[str, Any]:
    """Make an offer for each open opportunity that was missed 2 to 30 days ago.

    It takes 5 % off, from a value of 100.00 on 10 %, from 1,000.00 on 15 %, and is valid for 14 days.
    Customers who have not consented to WhatsApp and to promotions get none; nobody has two open offers at a
    time.
    """
    now = utcnow()
    which = {"now": now, "earliest": now - TOO_LATE, "latest": now - WAIT, "customer_id": customer_id}

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        discounts = {item.id: discount(item.value_cents) for item in items}
        offers = opportunities.make_offers(connection, discounts, now, now + VALID)
        messages = [
            Message(
                f"offer:{offers[item.id]}",
                item.customer_id,
                item.phone,
                f"{greeting(item.name)}, we are sorry that we missed you. For “{one_line(item.title)}” we"
                f" offer you {discounts[item.id]}% off until {_until(item, now + VALID)}."
                " Just answer this message.",
                item.time_zone,
                marketing=True,
                template=Template(
                    "opportunity_offer",
                    (
                        one_line(item.name),
                        one_line(item.title),
                        f"{discounts[item.id]}%",
                        _until(item, now + VALID),
                    ),
                ),
            )
            for item in items
            if item.id in offers
        ]
        queued = queue_messages(connection, messages, now)
        opportunities.link_offers(connection, {offer: queued[f"offer:{offer}"] for offer in offers.values()})
        return {"offered": len(offers)}

    return work_through(
        "process-opportunity-offers",
        "opportunities",
        lambda connection, after, limit: opportunities.fetch_missed(connection, after, limit, which),
        handle,
        count=lambda connection: opportunities.count_missed(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="missed opportunities looked at",
    )


@dramatiq.actor(
    actor_name="opportunity-reminders",
    description="Send follow-up reminders for opportunities",
    category="opportunities",
    periodic=cron("0 8 * * *"),
    time_limit=300_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def opportunity_reminders(
    batch_size: int = 500, dry_run: bool = False, customer_id: int | None = None
) -> dict[str, Any]:
    """Call offers that nobody has accepted to mind after 3 and after 7 days; close expired ones.

    Two messages are at least 2 days apart: a reminder that was overtaken by the next is left out. Customers
    who have withdrawn their consent get none, nor do those whom the offer itself could not reach.
    """
    now = utcnow()
    which = {"now": now, "steps": list(STEPS), "pause": now - PAUSE, "customer_id": customer_id}

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        expired = [item.id for item in items if item.expired]
        due = [item for item in items if not item.expired]
        messages = [
            Message(
                f"offer:{item.offer_id}:reminder:{item.reminders}",
                item.customer_id,
                item.phone,
                f"{greeting(item.name)}, our offer of {item.discount_percent}% off for"
                f" “{one_line(item.title)}” is yours until {_until(item, item.expires_at)}."
                " Just answer this message.",
                item.time_zone,
                marketing=True,
                template=Template(
                    "opportunity_reminder",
                    (
                        one_line(item.name),
                        f"{item.discount_percent}%",
                        one_line(item.title),
                        _until(item, item.expires_at),
                    ),
                ),
            )
            for item in due
        ]
        queue_messages(connection, messages, now)
        opportunities.remind(connection, {item.offer_id: item.reminders for item in due}, now)
        opportunities.expire(connection, expired, now)
        return {"reminded": len(due), "expired": len(expired)}

    return work_through(
        "opportunity-reminders",
        "opportunities",
        lambda connection, after, limit: opportunities.fetch_offered(connection, after, limit, which),
        handle,
        count=lambda connection: opportunities.count_offered(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="offers looked at",
    )
