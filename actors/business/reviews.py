"""Reviews: asking for them, once more for those that do not come, and a person for bad ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.items import Item, work_through
from callboard.core.clock import utcnow
from callboard.core.wording import greeting, one_line
from callboard.storage.alerts import NewAlert, open_alerts
from callboard.storage.business import reviews
from callboard.storage.business.messages import Message, Template, queue_messages

#: A customer is asked when the work has been done for that long ...
SETTLED = timedelta(days=1)
#: ... and not later than that after it; an unanswered request is open for as long.
TOO_LATE = timedelta(days=30)
#: Days after the request on which it is called to mind, and the least time between two messages.
STEPS = (3, 7)
PAUSE = timedelta(days=2)
#: The best rating that a person should look at.
BAD = 2


@dramatiq.actor(
    actor_name="send-review-requests",
    description="Send review requests for completed jobs",
    category="reviews",
    periodic=cron("0 */6 * * *"),
    time_limit=300_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def send_review_requests(
    batch_size: int = 500, dry_run: bool = False, customer_id: int | None = None
) -> dict[str, Any]:
    """Ask for a review of work that was completed 1 to 30 days ago; of a customer's jobs, of the latest.

    The message waits for a decent hour where the customer lives. Who has not consented to WhatsApp, or has a
    request open, is not asked.
    """
    now = utcnow()
    which = {"now": now, "earliest": now - TOO_LATE, "latest": now - SETTLED, "customer_id": customer_id}

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        requests = reviews.request(connection, {item.id: item.customer_id for item in items}, now)
        messages = [
            Message(
                f"review:{requests[item.id]}",
                item.customer_id,
                item.phone,
                f"{greeting(item.name)}, thank you for your trust. How did you like our work on"
                f" “{one_line(item.title)}”? Please answer with 1 (bad) to 5 (very good).",
                item.time_zone,
                template=Template("review_request", (one_line(item.name), one_line(item.title))),
            )
            for item in items
        ]
        queued = queue_messages(connection, messages, now)
        reviews.link_requests(
            connection, {number: queued[f"review:{number}"] for number in requests.values()}
        )
        return {"requested": len(requests)}

    return work_through(
        "send-review-requests",
        "completed_jobs",
        lambda connection, after, limit: reviews.fetch_completed(connection, after, limit, which),
        handle,
        count=lambda connection: reviews.count_completed(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="customers asked",
    )


@dramatiq.actor(
    actor_name="review-follow-ups",
    description="Send review reminders and handle escalations",
    category="reviews",
    periodic=cron("0 9 * * *"),
    time_limit=300_000,
    max_retries=1,
    backoff="linear",
    mutex=True,
)
def review_follow_ups(
    batch_size: int = 500, dry_run: bool = False, customer_id: int | None = None
) -> dict[str, Any]:
    """Call requests to mind after 3 and after 7 days; give up after 30; open an alert for ratings of 1 and 2.

    Two messages are at least 2 days apart: a reminder that was overtaken by the next is left out. Customers
    who have withdrawn their consent get none, nor do those whom the request itself could not reach.
    """
    now = utcnow()
    which = {
        "now": now,
        "bad": BAD,
        "steps": list(STEPS),
        "pause": now - PAUSE,
        "expires": now - TOO_LATE,
        "customer_id": customer_id,
    }

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        messages = [
            Message(
                f"review:{item.id}:reminder:{item.reminders}",
                item.customer_id,
                item.phone,
                f"{greeting(item.name)}, how did you like our work on “{one_line(item.title)}”? A number"
                " from 1 (bad) to 5 (very good) would help us. Thank you!",
                item.time_zone,
                template=Template("review_reminder", (one_line(item.name), one_line(item.title))),
            )
            for item in items
            if item.step == "remind"
        ]
        queue_messages(connection, messages, now)
        open_alerts(connection, "review", [_alert(item) for item in items if item.step == "escalate"])
        reviews.advance(connection, items, now)
        steps = Counter(item.step for item in items)
        return {
            "reminded": steps["remind"],
            "escalated": steps["escalate"],
            "expired": steps["expire"],
        }

    return work_through(
        "review-follow-ups",
        "review_requests",
        lambda connection, after, limit: reviews.fetch_followed(connection, after, limit, which),
        handle,
        count=lambda connection: reviews.count_followed(connection, which),
        batch_size=batch_size,
        dry_run=dry_run,
        what="requests looked at",
    )


def _alert(item: Item) -> NewAlert:
    said = f": {one_line(item.comment, 300)}" if item.comment else ""
    return NewAlert(
        subject=f"review:{item.id}",
        message=f"{one_line(item.name)} has rated “{one_line(item.title)}” {item.rating} of 5{said}",
        details={"customer_id": item.customer_id, "rating": item.rating},
    )
