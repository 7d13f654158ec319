"""Customers, and what was done for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from callboard.core.demo.rows import Ground, Rows, soon

ZONES = (
    *("Europe/Paris", "Europe/Paris", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo"),
    "UTC",
)
#: The work that is done, and from how much to how much it costs.
WORK = {
    "Boiler service": (90, 260),
    "Garden care": (40, 220),
    "Window cleaning": (35, 180),
    "Painting": (250, 1_400),
    "Roof repair": (300, 1_800),
    "Deep cleaning": (80, 420),
}
#: No country has the code +999: nothing that is sent to these numbers reaches anybody.
PHONE = "+999{key:08d}"
NAMES = 1_500
#: The tier (None: not judged yet) and the points of each customer.
Standing = Mapping[int, tuple[int | None, int]]


@dataclass(slots=True)
class Customer:
    """A customer, and since when there is which consent (None: there is none)."""

    id: int
    name: str
    email: str
    phone: str | None
    zone: str
    language: str
    birthday: date | None
    joined: datetime
    whatsapp_at: datetime | None
    email_at: datetime | None
    marketing_at: datetime | None
    #: When the customer has asked to be left alone.
    stopped_at: datetime | None = None

    def reachable(self, at: datetime) -> bool:
        """Whether WhatsApp messages might be sent at that moment."""
        agreed = self.whatsapp_at is not None and self.whatsapp_at <= at
        return self.phone is not None and agreed and (self.stopped_at is None or at < self.stopped_at)

    def promotable(self, at: datetime) -> bool:
        """Whether promotions might be sent at that moment."""
        return self.reachable(at) and self.marketing_at is not None and self.marketing_at <= at


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that was done."""

    id: int
    customer: Customer
    title: str
    cents: int
    at: datetime


def make_customers(ground: Ground) -> list[Customer]:
    """The customers, in the order in which they came. One in five has come within the days of the data."""
    from faker import Faker

    faker, chance = Faker("en_GB"), ground.chance("customers")
    faker.seed_instance(ground.seed)
    first = [faker.first_name() for _ in range(NAMES)]
    last = [faker.last_name() for _ in range(NAMES)]
    moments = sorted(_joined(ground, chance) for _ in range(ground.customers))
    return [
        _customer(ground, chance, key, f"{chance.choice(first)} {chance.choice(last)}", at)
        for key, at in enumerate(moments, 1)
    ]


def _joined(ground: Ground, chance: Random) -> datetime:
    if chance.random() < 0.2:
        return ground.between(chance, ground.start, ground.now - timedelta(hours=2))
    return ground.between(chance, ground.now - timedelta(days=900), ground.start)


def _customer(ground: Ground, chance: Random, key: int, name: str, joined: datetime) -> Customer:
    def consent(share: float) -> datetime | None:
        later = joined + soon(chance, hours=1)
        return later if chance.random() < share else None

    local_part = "".join(char for char in f"{name}.{key}".lower().replace(" ", ".") if char not in "'")
    return Customer(
        id=key,
        name=name,
        email=f"{local_part}@example.com",
        phone=PHONE.format(key=key) if chance.random() < 0.97 else None,
        zone=chance.choice(ZONES),
        language=chance.choice(("en", "en", "fr", "de")),
        birthday=_birthday(ground, chance, key),
        joined=joined,
        whatsapp_at=consent(0.82),
        email_at=consent(0.85),
        marketing_at=consent(0.62),
    )


def _birthday(ground: Ground, chance: Random, key: int) -> date | None:
    if chance.random() < 0.1:
        return None
    born = ground.today - timedelta(days=chance.randint(20 * 365, 70 * 365))
    if key % 50:
        return born
    # Somebody's birthday is always today, also on 29 February.
    return ground.today.replace(year=born.year - born.year % 4)


def make_jobs(ground: Ground, customers: list[Customer]) -> list[Job]:
    """What was done for them, in the order of time. Some of it on the last day."""
    chance, found = ground.chance("completed_jobs"), []
    last_day = ground.now - timedelta(hours=20)
    # Some have their first job in the last hours.
    new = [each for each in customers if each.id % 40 == 3 and each.joined < ground.now - timedelta(hours=12)]
    others = [each for each in customers if each.id % 40 != 3] or customers
    for number in range(2 * len(customers)):
        customer = chance.choice(others)
        since = max(customer.joined + timedelta(minutes=30), ground.start)
        at = ground.at_work(chance, max(since, last_day) if number % 20 == 0 else since, customer.zone)
        title = chance.choice(tuple(WORK))
        low, high = WORK[title]
        # Prices end with whole or half units.
        found.append((at, customer.id, title, chance.randint(2 * low, 2 * high) * 50))
    for customer in new:
        at = ground.between(chance, ground.now - timedelta(hours=11))
        found.append((at, customer.id, "Window cleaning", chance.randint(70, 360) * 50))
    by_id = {customer.id: customer for customer in customers}
    return [
        Job(key, by_id[customer], title, cents, at)
        for key, (at, customer, title, cents) in enumerate(sorted(found), 1)
    ]


def note_stops(ground: Ground, customers: list[Customer]) -> None:
    """Have some of those who consent to messages ask to be left alone."""
    chance = ground.chance("stops")
    for customer in customers:
        if customer.phone is None or customer.whatsapp_at is None or chance.random() > 0.02:
            continue
        since = max(customer.whatsapp_at, ground.start) + timedelta(days=1)
        if since < ground.now:
            customer.stopped_at = ground.between(chance, since)


def customer_rows(customers: list[Customer], standing: Standing) -> Rows:
    """The table."""
    rows: list[tuple[Any, ...]] = []
    for each in customers:
        stopped = each.stopped_at is not None
        consents = (
            None if stopped else each.whatsapp_at,
            each.email_at,
            None if stopped else each.marketing_at,
        )
        rows.append(
            (
                *(each.id, each.name, each.email, each.phone, each.zone, each.language, each.birthday),
                *consents,
                *standing[each.id],
                f"R{each.id:07d}",
                each.joined,
            )
        )
    columns = (
        *("id", "name", "email", "phone", "time_zone", "language", "birthday", "whatsapp_consent_at"),
        *("email_consent_at", "marketing_consent_at", "tier_id", "points", "referral_code", "created_at"),
    )
    return Rows("customers", columns, rows)


def job_rows(jobs: list[Job]) -> Rows:
    """The table."""
    columns = ("id", "customer_id", "title", "amount_cents", "completed_at")
    rows = [(job.id, job.customer.id, job.title, job.cents, job.at) for job in jobs]
    return Rows("completed_jobs", columns, rows)
