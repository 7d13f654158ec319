"""Opportunities, promotions, reviews, messages and e-mail."""

from datetime import timedelta
from typing import Any

from callboard.core.demo.people import PHONE
from callboard.core.demo.rows import Ground, Rows

SOURCES = ("missed_call", "abandoned_quote", "expired_quote", "web_form")
TRIGGERS = (("inactive", 60, None), ("birthday", 0, None), ("joined", 7, None), ("spent", 0, 100_000))


def outreach(ground: Ground, jobs: Rows) -> list[Rows]:
    """All that is sent to customers, and what comes of it."""
    return [*_opportunities(ground), *_promotions(ground), _reviews(ground, jobs), *_messages(ground)]


def _opportunities(ground: Ground) -> list[Rows]:
    chance = ground.chance("opportunities")
    rows: list[tuple[Any, ...]] = []
    offers: list[tuple[Any, ...]] = []
    for key in range(1, ground.customers // 2 + 1):
        status = chance.choice(("open", "open", "offered", "won", "lost", "expired"))
        made = ground.ago(chance, 12 if status in ("open", "offered") else 90, 4)
        closed = made + timedelta(days=3) if status in ("won", "lost", "expired") else None
        missed = made + timedelta(hours=2) if status != "open" or chance.random() < 0.7 else None
        value = chance.randint(50, 3_000) * 100
        customer, source = chance.randint(1, ground.customers), chance.choice(SOURCES)
        rows.append((key, customer, source, "A quote", value, status, made, missed, closed))
        if status != "open":
            sent = made + timedelta(days=1)
            won = closed if status == "won" else None
            offers.append((key, chance.choice((5, 10, 15)), sent, sent + timedelta(days=14), won))
    columns = ("id", "customer_id", "source", "title", "value_cents", "status", "created_at", "missed_at")
    return [
        Rows("opportunities", (*columns, "closed_at"), rows),
        Rows(
            "offers", ("opportunity_id", "discount_percent", "made_at", "expires_at", "accepted_at"), offers
        ),
    ]


def _promotions(ground: Ground) -> list[Rows]:
    chance, start = ground.chance("promotions"), ground.now - timedelta(days=90)
    words = "{name}, {discount} % off with {promotion}."
    promotions = [
        (n, f"Demo {kind}", words, 5 * n, "active", start) for n, (kind, *_) in enumerate(TRIGGERS, 1)
    ]
    triggers = [(n, n, kind, days, cents) for n, (kind, days, cents) in enumerate(TRIGGERS, 1)]
    deliveries = []
    for customer in range(1, ground.customers + 1, 2):
        number, queued = chance.randint(1, 4), ground.ago(chance)
        sent = chance.random() < 0.8
        handled = queued + timedelta(hours=1) if sent else None
        opened = handled if sent and chance.random() < 0.5 else None
        redeemed = opened if chance.random() < 0.3 else None
        revenue = chance.randint(50, 500) * 100 if redeemed else None
        status = "sent" if sent else "queued"
        deliveries.append(
            (number, customer, number, queued.date(), status, queued, handled, opened, redeemed, revenue)
        )
    columns = ("promotion_id", "customer_id", "trigger_id", "due_on", "status", "queued_at", "handled_at")
    return [
        Rows("promotions", ("id", "name", "text", "discount_percent", "status", "starts_at"), promotions),
        Rows("promotion_triggers", ("id", "promotion_id", "kind", "days", "amount_cents"), triggers),
        Rows("promotion_deliveries", (*columns, "opened_at", "redeemed_at", "revenue_cents"), deliveries),
    ]


def _reviews(ground: Ground, jobs: Rows) -> Rows:
    chance = ground.chance("review_requests")
    rows = []
    for job, customer, _title, _cents, at in jobs.rows[::3]:
        asked = at + timedelta(days=1)
        rated = chance.random() < 0.5
        reviewed = asked + timedelta(days=1) if rated else None
        rating = chance.choice((1, 2, 3, 4, 5, 5, 5)) if rated else None
        rows.append((job, customer, "reviewed" if rated else "requested", asked, reviewed, rating))
    columns = ("completed_job_id", "customer_id", "status", "requested_at", "reviewed_at", "rating")
    return Rows("review_requests", columns, rows)


def _messages(ground: Ground) -> list[Rows]:
    chance = ground.chance("messages")
    sent: list[tuple[Any, ...]] = []
    mails: list[tuple[Any, ...]] = []
    for key in range(1, ground.customers + 1):
        at = ground.ago(chance)
        done = key % 10 != 0
        status, finished = ("done", at + timedelta(minutes=1)) if done else ("queued", None)
        payload = '{"text": "Thank you for your visit."}'
        sent.append((key, PHONE.format(key=key), payload, status, int(done), at, at, finished, f"demo:{key}"))
        if key % 5 == 0:
            to = f"demo.{key}@example.com"
            mails.append((to, "Your month", "All is well.", f"<demo-{key}@callboard>", f"demo:{key}", at))
    columns = ("customerId", "to", "payload", "status", "attempts", "runAt", "createdAt", "completedAt")
    queue = ("to_address", "subject", "body", "message_id", "dedupe_key", "created_at")
    return [Rows("OutboundJob", (*columns, "idempotencyKey"), sent), Rows("email_queue", queue, mails)]
