"""Customers, their jobs, and their loyalty."""

from collections import Counter
from datetime import timedelta
from typing import Any

from callboard.core.demo.rows import Ground, Rows

ZONES = ("Europe/Paris", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo", "UTC")
TIERS = ((1, "Bronze", 1, 0, 1), (2, "Silver", 2, 500, 1.25), (3, "Gold", 3, 2_000, 1.5))
ACHIEVEMENTS = (
    (1, "first-job", "First job", "jobs", 1, 50),
    (2, "five-jobs", "Five jobs", "jobs", 5, 200),
    (3, "big-spender", "Big spender", "spent", 200_000, 300),
    (4, "friend", "Brought a friend", "referrals", 1, 100),
    (5, "critic", "First review", "reviews", 1, 50),
    (6, "faithful", "With us for a year", "days", 365, 100),
)
WORK = ("Boiler service", "Garden care", "Window cleaning", "Painting", "Roof repair", "Deep cleaning")
#: No country has the code +999: nothing that is sent to these numbers reaches anybody.
PHONE = "+999{key:08d}"
NAMES = 1_500


def people(ground: Ground) -> list[Rows]:
    """Tiers, achievements, customers, completed jobs, the ledger and referrals."""
    jobs = _jobs(ground)
    ledger, points = _ledger(jobs)
    return [
        Rows("loyalty_tiers", ("id", "name", "rank", "points", "multiplier"), TIERS),
        Rows("achievements", ("id", "code", "name", "kind", "threshold", "points"), ACHIEVEMENTS),
        _customers(ground, points),
        jobs,
        ledger,
        _referrals(ground),
    ]


def _customers(ground: Ground, points: Counter[int]) -> Rows:
    from faker import Faker

    faker, chance = Faker("en_GB"), ground.chance("customers")
    faker.seed_instance(ground.seed)
    first = [faker.first_name() for _ in range(NAMES)]
    last = [faker.last_name() for _ in range(NAMES)]
    rows: list[tuple[Any, ...]] = []
    for key in range(1, ground.customers + 1):
        name, family = chance.choice(first), chance.choice(last)
        joined = ground.now - timedelta(days=chance.randint(91, 900))
        if chance.random() < 0.2:
            joined = ground.ago(chance)
        address = f"{name}.{family}.{key}@example.com".lower().replace(" ", "").replace("'", "")
        reached = max(tier[0] for tier in TIERS if tier[3] <= points[key])
        rows.append(
            (
                key,
                f"{name} {family}",
                address,
                PHONE.format(key=key),
                chance.choice(ZONES),
                chance.choice(("en", "fr", "de")),
                ground.today - timedelta(days=chance.randint(20 * 365, 70 * 365)),
                joined if chance.random() < 0.8 else None,
                joined if chance.random() < 0.85 else None,
                joined if chance.random() < 0.6 else None,
                reached if chance.random() < 0.9 else 1,
                points[key],
                f"R{key:07d}",
                joined,
            )
        )
    columns = (
        *("id", "name", "email", "phone", "time_zone", "language", "birthday", "whatsapp_consent_at"),
        *("email_consent_at", "marketing_consent_at", "tier_id", "points", "referral_code", "created_at"),
    )
    return Rows("customers", columns, rows)


def _jobs(ground: Ground) -> Rows:
    chance = ground.chance("completed_jobs")
    rows = [
        (key, chance.randint(1, ground.customers), chance.choice(WORK), chance.randint(40, 900) * 100, at)
        for key in range(1, 2 * ground.customers + 1)
        for at in (ground.ago(chance),)
    ]
    return Rows("completed_jobs", ("id", "customer_id", "title", "amount_cents", "completed_at"), rows)


def _ledger(jobs: Rows) -> tuple[Rows, Counter[int]]:
    points: Counter[int] = Counter()
    rows = []
    for job, customer, _title, cents, at in jobs.rows:
        points[customer] += cents // 100
        rows.append((customer, cents // 100, "job", str(job), at))
    return Rows("points_ledger", ("customer_id", "points", "reason", "reference", "at"), rows), points


def _referrals(ground: Ground) -> Rows:
    chance = ground.chance("referrals")
    rows = [
        (key, referred - 1, referred, "pending", ground.ago(chance, 200))
        for key, referred in enumerate(range(2, ground.customers + 1, 10), start=1)
    ]
    return Rows("referrals", ("id", "referrer_id", "referred_id", "status", "created_at"), rows)
