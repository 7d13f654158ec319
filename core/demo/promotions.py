"""Promotions: those that triggers give, campaigns by hand, and what became of each delivery."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from callboard.core.courtesy import courteous, local
from callboard.core.demo.messages import Message, Outbox
from callboard.core.demo.people import Customer, Job
from callboard.core.demo.rows import Ground, Rows, daily, end_of, every, soon

IDLE_DAYS, JOINED_DAYS, SPENT_CENTS = 60, 7, 100_000
#: id, promotion, kind, days, cents, enabled.
TRIGGERS = (
    (1, 1, "inactive", IDLE_DAYS, None, True),
    (2, 2, "birthday", 0, None, True),
    (3, 3, "joined", JOINED_DAYS, None, True),
    (4, 4, "spent", 0, SPENT_CENTS, True),
    (5, 1, "inactive", 30, None, False),
)
BY_TRIGGER = {1: "We miss you", 2: "Happy birthday", 3: "Welcome", 4: "Thank you"}
PERCENT = {1: 10, 2: 15, 3: 5, 4: 20, 5: 10, 6: 12, 7: 25, 8: 8}
WORDS = "Hello {name}, {discount} off with “{promotion}”. Just answer this message."


class Given(NamedTuple):
    """A promotion that a customer is to have, chosen at that moment by a trigger or (None) by hand."""

    queued_at: datetime
    promotion: int
    customer: Customer
    trigger: int | None


@dataclass(slots=True)
class Delivery:
    """What became of it."""

    id: int
    given: Given
    due_on: date
    status: str = "queued"
    reason: str | None = None
    handled_at: datetime | None = None
    opened_at: datetime | None = None
    redeemed_at: datetime | None = None
    cents: int | None = None
    message: Message | None = None


def make_deliveries(
    ground: Ground, customers: Sequence[Customer], jobs: Sequence[Job], outbox: Outbox
) -> list[Delivery]:
    """The deliveries, in the order in which they were queued. Some that are due were given to nobody yet."""
    chance = ground.chance("promotions")
    work: defaultdict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        work[job.customer.id].append(job)
    given = [
        each
        for customer in customers
        for each in _triggered(ground, customer, work[customer.id])
        if each.queued_at < ground.now and customer.promotable(each.queued_at) and chance.random() < 0.85
    ]
    given += _campaigns(ground, chance, customers)
    given.sort(key=lambda each: (each.queued_at, each.customer.id, each.promotion))
    return [_deliver(ground, chance, number, each, outbox) for number, each in enumerate(given, 1)]


def _triggered(ground: Ground, customer: Customer, work: Sequence[Job]) -> Iterator[Given]:
    """What the triggers have given to somebody: each its promotion once, in a run at ten o'clock."""
    joined = customer.joined
    if customer.birthday is not None:
        for year in {ground.start.year, ground.now.year}:
            try:
                day = daily(ground.now, 10).replace(
                    year=year, month=customer.birthday.month, day=customer.birthday.day
                )
            except ValueError:
                continue
            if max(joined, ground.start) < day < ground.now:
                yield Given(day, 2, customer, 2)
    if joined > ground.start:
        yield Given(daily(joined + timedelta(days=JOINED_DAYS), 10), 3, customer, 3)
    spent = 0
    for job in work:
        spent += job.cents
        if spent >= SPENT_CENTS:
            yield Given(daily(job.at, 10), 4, customer, 4)
            break
    moments = [max(joined, ground.start), *(job.at for job in work), ground.now]
    for before, after in pairwise(moments):
        idle = daily(before + timedelta(days=IDLE_DAYS), 10)
        if idle < after:
            yield Given(idle, 1, customer, 1)
            break


def _campaigns(ground: Ground, chance: Random, customers: Sequence[Customer]) -> Iterator[Given]:
    """Campaigns by hand: one that is over, one that ended just now, and one begun on the last evening."""
    past, last, evening = ground.start + timedelta(days=12, hours=9), timedelta(days=9), timedelta(hours=1)
    for promotion, at, share in (
        (5, past, 0.15),
        (8, ground.now - last, 0.08),
        (6, ground.now - evening, 0.2),
    ):
        for customer in customers:
            if customer.joined < at and chance.random() < share:
                yield Given(at + soon(chance, minutes=25), promotion, customer, None)


def _deliver(ground: Ground, chance: Random, number: int, given: Given, outbox: Outbox) -> Delivery:
    customer = given.customer
    arrives = courteous(given.queued_at, customer.zone)
    delivery = Delivery(number, given, local(arrives, customer.zone).date())
    handled = every(given.queued_at + timedelta(seconds=1), 30)
    if handled >= ground.now or given.promotion == 6:
        return delivery
    delivery.handled_at = handled
    if not customer.promotable(handled):
        delivery.status = "passed_over"
        delivery.reason = "no telephone number" if customer.phone is None else "no consent"
        return delivery
    words = f"Hello {customer.name}, {PERCENT[given.promotion]}% off. Just answer this message."
    message = delivery.message = outbox.template(
        f"delivery:{number}",
        customer,
        words,
        handled,
        "promotion",
        words,
        marketing=True,
    )
    delivery.status = "sent"
    if message.status == "failed":
        delivery.status, delivery.reason = "failed", message.error
    if message.sent and message.ended_at is not None:
        _react(ground, chance, delivery, message.ended_at)
    return delivery


def _react(ground: Ground, chance: Random, delivery: Delivery, sent: datetime) -> None:
    opened = sent + soon(chance, days=2)
    if opened >= ground.now or chance.random() > 0.5:
        return
    delivery.opened_at = opened
    redeemed = opened + soon(chance, days=10)
    if redeemed < ground.now and chance.random() < 0.3:
        delivery.redeemed_at, delivery.cents = redeemed, chance.randint(80, 1_000) * 50


def promotion_rows(ground: Ground, deliveries: Sequence[Delivery]) -> list[Rows]:
    """The tables. The messages must have their numbers."""
    now, day = ground.now, timedelta(days=1)
    by_hand = (
        (5, "Last season", "ended", ground.start + 10 * day, ground.start + 40 * day),
        (6, "Offer of the week", "active", now - day, now + 14 * day),
        (7, "Next season", "draft", now + 30 * day, now + 60 * day),
        # The next run finds that it is over.
        (8, "Ten days only", "active", now - 10 * day, now - timedelta(minutes=10)),
    )
    promotions = [
        *((key, name, WORDS, PERCENT[key], "active", ground.start, None) for key, name in BY_TRIGGER.items()),
        *((key, name, WORDS, PERCENT[key], *rest) for key, name, *rest in by_hand),
    ]
    evaluated = daily(now - day, 10)
    triggers = [(*trigger, evaluated if trigger[-1] else None) for trigger in TRIGGERS]
    rows = [
        (
            *(each.id, each.given.promotion, each.given.customer.id, each.given.trigger, each.due_on),
            *(each.status, each.reason, each.given.queued_at, each.handled_at, each.opened_at),
            *(each.redeemed_at, each.cents, each.message.id if each.message else None),
        )
        for each in deliveries
    ]
    described = ("id", "name", "text", "discount_percent", "status", "starts_at", "ends_at")
    conditions = ("id", "promotion_id", "kind", "days", "amount_cents", "enabled", "last_evaluated_at")
    columns = (
        *("id", "promotion_id", "customer_id", "trigger_id", "due_on", "status", "reason", "queued_at"),
        *("handled_at", "opened_at", "redeemed_at", "revenue_cents", "outbound_id"),
    )
    return [
        Rows("promotions", described, promotions),
        Rows("promotion_triggers", conditions, triggers),
        Rows("promotion_deliveries", columns, rows),
        _figures(ground, deliveries),
    ]


def _figures(ground: Ground, deliveries: Sequence[Delivery]) -> Rows:
    """Figures by day and promotion, of all days but the last, which are counted in the coming night."""
    names = ("queued", "sent", "failed", "passed_over", "opened", "redeemed", "revenue_cents")
    counted: defaultdict[tuple[date, int], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for each in deliveries:
        if each.given.queued_at >= ground.now - timedelta(days=1):
            continue
        figures = counted[each.given.queued_at.date(), each.given.promotion]
        figures["queued"] += 1
        if each.status != "queued":
            figures[each.status] += 1
        figures["opened"] += each.opened_at is not None
        figures["redeemed"] += each.redeemed_at is not None
        figures["revenue_cents"] += each.cents or 0
    rows: list[tuple[Any, ...]] = [
        (day, promotion, *figures.values(), daily(end_of(day), 2))
        for (day, promotion), figures in sorted(counted.items())
    ]
    return Rows("promotion_daily", ("day", "promotion_id", *names, "computed_at"), rows)
