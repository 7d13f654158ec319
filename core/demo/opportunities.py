"""Opportunities: missed or not, offered, won, lost or expired; and their figures by day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from callboard.core.demo.messages import Message, Outbox
from callboard.core.demo.people import WORK, Customer
from callboard.core.demo.rows import Ground, Rows, daily, end_of, soon

SOURCES = ("missed_call", "abandoned_quote", "expired_quote", "web_form")
#: As the jobs have it: how long an offer waits and lasts, when it is called to mind, what it takes off.
WAIT, VALID = timedelta(days=2), timedelta(days=14)
STEPS = (3, 7)
DISCOUNTS = ((100_000, 15), (10_000, 10), (0, 5))


@dataclass(slots=True)
class Offer:
    """An offer, and for how long it was open."""

    made_at: datetime
    percent: int
    accepted_at: datetime | None = None
    reminders: int = 0
    reminded_at: datetime | None = None
    message: Message | None = None


@dataclass(slots=True)
class Opportunity:
    """A chance to do business."""

    customer: Customer
    source: str
    title: str
    cents: int
    created_at: datetime
    id: int = 0
    status: str = "open"
    missed_at: datetime | None = None
    closed_at: datetime | None = None
    offer: Offer | None = None


def make_opportunities(ground: Ground, customers: Sequence[Customer], outbox: Outbox) -> list[Opportunity]:
    """The opportunities. No customer has two offers open at a time."""
    chance, found = ground.chance("opportunities"), []
    for _ in range(max(len(customers), 12)):
        customer, title = chance.choice(customers), chance.choice(tuple(WORK))
        made = ground.at_work(chance, max(customer.joined, ground.start), customer.zone)
        cents = chance.randint(*WORK[title]) * chance.choice((100, 100, 100, 200, 300))
        found.append(Opportunity(customer, chance.choice(SOURCES), title, cents, made))
    found.sort(key=lambda each: (each.created_at, each.customer.id))
    offered: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for number, each in enumerate(found, 1):
        each.id = number
        if chance.random() < 0.75:
            missed = each.created_at + soon(chance, hours=20)
            each.missed_at = missed if missed < ground.now else None
        if each.missed_at is None or not _make_offer(ground, chance, each, offered[each.customer.id]):
            _close(ground, chance, each)
    _call_to_mind(ground, chance, found, outbox)
    return found


def _close(ground: Ground, chance: Random, each: Opportunity) -> None:
    """What people make of an opportunity without an offer."""
    days, won = (20, 0.5) if each.missed_at is None else (60, 0.1)
    closed = (each.missed_at or each.created_at) + soon(chance, days=days)
    if closed < ground.now and chance.random() < 0.85:
        each.status, each.closed_at = "won" if chance.random() < won else "lost", closed


def _make_offer(
    ground: Ground, chance: Random, each: Opportunity, others: list[tuple[datetime, datetime]]
) -> bool:
    """Make an offer where a job would have, and let something become of it."""
    made = daily((each.missed_at or each.created_at) + WAIT, 8)
    ends, fate = daily(made + VALID, 8), "expired"
    if chance.random() < 0.6:
        ends, fate = made + soon(chance, days=13), "won" if chance.random() < 0.55 else "lost"
    free = all(end <= made or ends <= begin for begin, end in others)
    if made >= ground.now or not free or not each.customer.promotable(made) or chance.random() < 0.25:
        return False
    others.append((made, ends))
    each.offer = Offer(made, next(percent for least, percent in DISCOUNTS if each.cents >= least))
    each.status = "offered"
    if ends < ground.now:
        each.status, each.closed_at = fate, ends
        each.offer.accepted_at = ends if fate == "won" else None
    return True


def _call_to_mind(ground: Ground, chance: Random, found: Sequence[Opportunity], outbox: Outbox) -> None:
    """Send the offers and their reminders. Some reminders are left out, and still due."""
    for number, (each, offer) in enumerate(_offers(found), 1):
        customer = each.customer
        words = f"Hello {customer.name}, for “{each.title}” we offer you {offer.percent}% off."
        values, until = (each.title, f"{offer.percent}%"), f"{offer.made_at + VALID:%-d %B %Y}"
        name = "opportunity_offer"
        offer.message = outbox.template(
            f"offer:{number}",
            customer,
            words,
            offer.made_at,
            name,
            customer.name,
            *values,
            until,
            marketing=True,
        )
        for step, days in enumerate(STEPS, 1):
            due = daily(offer.made_at + timedelta(days=days), 8)
            open_ = due < min(each.closed_at or ground.now, ground.now, offer.made_at + VALID)
            share = 0.3 if each.status == "offered" else 0.85
            if open_ and customer.promotable(due) and chance.random() < share:
                words = f"Hello {customer.name}, our offer of {offer.percent}% off for “{each.title}” holds."
                key, name = f"offer:{number}:reminder:{step}", "opportunity_reminder"
                outbox.template(
                    key, customer, words, due, name, customer.name, *values[::-1], until, marketing=True
                )
                offer.reminders, offer.reminded_at = step, due


def _offers(found: Sequence[Opportunity]) -> list[tuple[Opportunity, Offer]]:
    """The offers in the order in which they were made, in which they are numbered."""
    made = [(each, each.offer) for each in found if each.offer is not None]
    return sorted(made, key=lambda pair: (pair[1].made_at, pair[0].id))


def opportunity_rows(ground: Ground, found: Sequence[Opportunity]) -> list[Rows]:
    """The tables. The messages must have their numbers."""
    rows = [
        (
            *(each.id, each.customer.id, each.source, each.title, each.cents, each.status),
            *(each.created_at, each.missed_at, each.closed_at),
        )
        for each in found
    ]
    offers = [
        (
            *(number, each.id, offer.percent, offer.made_at, offer.made_at + VALID, offer.accepted_at),
            *(offer.reminders, offer.reminded_at, offer.message.id if offer.message else None),
        )
        for number, (each, offer) in enumerate(_offers(found), 1)
    ]
    columns = ("id", "customer_id", "source", "title", "value_cents", "status")
    made = ("id", "opportunity_id", "discount_percent", "made_at", "expires_at", "accepted_at")
    return [
        Rows("opportunities", (*columns, "created_at", "missed_at", "closed_at"), rows),
        Rows("offers", (*made, "reminders", "last_reminder_at", "outbound_id"), offers),
        _figures(ground, found),
    ]


def _figures(ground: Ground, found: Sequence[Opportunity]) -> Rows:
    """Figures by day and source, of all days but the last, which are added up in the coming night."""
    names = ("created", "offered", "won", "lost", "expired", "created_cents", "won_cents")
    counted: defaultdict[tuple[date, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))

    def add(at: datetime | None, each: Opportunity, **more: int) -> None:
        if at is not None and at < ground.now - timedelta(days=1):
            for name, number in more.items():
                counted[at.date(), each.source][name] += number

    for each in found:
        add(each.created_at, each, created=1, created_cents=each.cents)
        add(each.offer.made_at if each.offer else None, each, offered=1)
        if each.closed_at is not None:
            won = each.cents if each.status == "won" else 0
            add(each.closed_at, each, won_cents=won, **{each.status: 1})
    rows: list[tuple[Any, ...]] = [
        (day, source, *figures.values(), daily(end_of(day), 1))
        for (day, source), figures in sorted(counted.items())
    ]
    return Rows("opportunity_daily", ("day", "source", *names, "computed_at"), rows)
