"""Loyalty: what the nightly jobs have made of jobs, reviews and referrals, up to the last night but this one.

Jobs are credited and tiers judged at three o'clock, achievements awarded at four; referrals are looked at
every four hours, for the last time at noon.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callboard.core.demo.people import Customer, Job
from callboard.core.demo.reviews import Request
from callboard.core.demo.rows import Ground, Rows, daily, every

#: id, name, rank, points, multiplier, bonus.
TIERS = (
    (1, "Bronze", 1, 0, 1.0, 0),
    (2, "Silver", 2, 500, 1.25, 50),
    (3, "Gold", 3, 2_000, 1.5, 150),
    (4, "Platinum", 4, 5_000, 2.0, 400),
)
#: id, code, name, kind, threshold, points.
ACHIEVEMENTS = (
    (1, "first-job", "First job", "jobs", 1, 50),
    (2, "five-jobs", "Five jobs", "jobs", 5, 200),
    (3, "big-spender", "Big spender", "spent", 200_000, 300),
    (4, "friend", "Brought a friend", "referrals", 1, 100),
    (5, "critic", "First review", "reviews", 1, 50),
    (6, "faithful", "With us for a year", "days", 365, 100),
)
#: As the job has it: points for who recommended and who came, and for how many days a referral holds.
REFERRER, REFERRED, HOLDS = 200, 100, timedelta(days=180)
#: What a voucher costs that points are redeemed for.
VOUCHER = 250


@dataclass(slots=True)
class Referral:
    """A recommendation."""

    referrer: Customer
    referred: Customer
    id: int = 0
    status: str = "pending"
    converted_at: datetime | None = None
    rewarded_at: datetime | None = None


@dataclass(slots=True)
class Facts:
    """What counts for a customer: moments of jobs, reviews, rewarded referrals, and the latter's gains."""

    jobs: list[Job] = field(default_factory=list)
    reviewed: list[datetime] = field(default_factory=list)
    brought: list[datetime] = field(default_factory=list)
    rewards: list[tuple[datetime, int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Loyalty:
    """What has come of it, in rows; `standing` has the tier and the points of each customer."""

    standing: dict[int, tuple[int | None, int]] = field(default_factory=dict)
    ledger: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    awards: list[tuple[Any, ...]] = field(default_factory=list)


def make_referrals(ground: Ground, customers: Sequence[Customer], jobs: Sequence[Job]) -> list[Referral]:
    """Who was brought by whom, and what came of that: the first job converts it while it holds."""
    chance, first = ground.chance("referrals"), dict[int, datetime]()
    noon = ground.now - timedelta(hours=12)
    for job in jobs:
        first.setdefault(job.customer.id, job.at)
    found: list[Referral] = []
    for place, referred in enumerate(customers[1:], 1):
        at = first.get(referred.id)
        # Whoever had a first job since was brought by somebody: that is still to be found out.
        due = at is not None and at > noon
        if not due and chance.random() > (0.3 if referred.joined > ground.start else 0.06):
            continue
        each = Referral(customers[chance.randrange(place)], referred, len(found) + 1)
        until = referred.joined + HOLDS
        done = at if at is not None and at <= until else None
        settled = every(done or until, 240)
        if settled <= noon and done is not None:
            each.status, each.converted_at, each.rewarded_at = "rewarded", done, settled
        elif settled <= noon:
            each.status = "expired"
        found.append(each)
    return found


def live(
    ground: Ground,
    customers: Sequence[Customer],
    jobs: Sequence[Job],
    requests: Sequence[Request],
    referrals: Sequence[Referral],
) -> Loyalty:
    """The lives of all customers, night by night."""
    facts: defaultdict[int, Facts] = defaultdict(Facts)
    for job in jobs:
        facts[job.customer.id].jobs.append(job)
    for request in requests:
        if request.reviewed_at is not None:
            facts[request.job.customer.id].reviewed.append(request.reviewed_at)
    for each in referrals:
        if each.rewarded_at is not None:
            facts[each.referrer.id].brought.append(each.rewarded_at)
            for customer, points in ((each.referrer, REFERRER), (each.referred, REFERRED)):
                facts[customer.id].rewards.append((each.rewarded_at, points, str(each.id)))
    done, chance = Loyalty(), ground.chance("loyalty")
    for customer in customers:
        spends = ground.between(chance, ground.start) if chance.random() < 0.15 else None
        _live(ground, customer, facts[customer.id], spends, done)
    done.ledger.sort(key=lambda row: (row[-1], row[0], row[2], row[3]))
    done.changes.sort(key=lambda row: (row[-1], row[0]))
    done.awards.sort(key=lambda row: (row[-1], row[0], row[1]))
    return done


def _live(ground: Ground, customer: Customer, facts: Facts, spends: datetime | None, done: Loyalty) -> None:
    """One life. The order at one moment: jobs, judging the tier, other gains, spending."""
    begins = max(customer.joined, ground.start)
    events: list[tuple[datetime, int, str, str, int]] = [(daily(begins, 3), 1, "judge", "", 0)]
    events += [(daily(job.at, 3), 0, "job", str(job.id), job.cents) for job in facts.jobs]
    for key, reached in _reached(customer, facts):
        awarded = daily(max(reached, ground.start), 4)
        events.append((awarded, 2, "achievement", str(key), ACHIEVEMENTS[key - 1][5]))
        events.append((daily(awarded, 3), 1, "judge", "", 0))
    for rewarded, worth, reference in facts.rewards:
        events.append((rewarded, 2, "referral", reference, worth))
        events.append((daily(rewarded + timedelta(seconds=1), 3), 1, "judge", "", 0))
    events += [(at, 1, "judge", "", 0) for at, _, kind, *_ in events if kind == "job"]
    if spends is not None:
        events.append((spends, 3, "redeemed", f"voucher-{customer.id}", -VOUCHER))
    tier, points = 0, 0
    for at, _, kind, reference, worth in sorted(events):
        if at >= ground.now:
            break
        if kind == "judge":
            tier, points = _judge(customer, tier, points, at, done)
            continue
        gain = int(worth * TIERS[max(tier - 1, 0)][4]) // 100 if kind == "job" else worth
        if points + gain < 0:
            continue
        points += gain
        done.ledger.append((customer.id, gain, kind, reference, at))
        if kind == "achievement":
            done.awards.append((customer.id, int(reference), at))
    done.standing[customer.id] = (tier or None, points)


def _judge(customer: Customer, tier: int, points: int, at: datetime, done: Loyalty) -> tuple[int, int]:
    """The tier and the points after judging; a bonus may reach the next tier."""
    while (reached := max(each[0] for each in TIERS if each[3] <= points)) > tier:
        done.changes.append((customer.id, tier or None, reached, points, at))
        for key, *_, bonus in TIERS[tier:reached]:
            if bonus:
                points += bonus
                done.ledger.append((customer.id, bonus, "tier", str(key), at))
        tier = reached
    return tier, points


def _reached(customer: Customer, facts: Facts) -> list[tuple[int, datetime]]:
    """Which achievements are reached at all, and when."""
    found: list[tuple[int, datetime]] = []
    spent = 0
    for number, job in enumerate(facts.jobs, 1):
        before, spent = spent, spent + job.cents
        for key, _, _, kind, threshold, _ in ACHIEVEMENTS:
            gone_over = {"jobs": number - 1 < threshold <= number, "spent": before < threshold <= spent}
            if gone_over.get(kind):
                found.append((key, job.at))
    for key, _, _, kind, threshold, _ in ACHIEVEMENTS:
        moments = {"reviews": facts.reviewed, "referrals": facts.brought}.get(kind, [])
        if len(moments) >= threshold:
            found.append((key, sorted(moments)[threshold - 1]))
        if kind == "days":
            found.append((key, customer.joined + timedelta(days=threshold)))
    return found


def loyalty_rows(done: Loyalty) -> list[Rows]:
    """The tables that refer to customers."""
    ledger = ("customer_id", "points", "reason", "reference", "at")
    changes = ("customer_id", "from_tier_id", "to_tier_id", "points", "changed_at")
    return [
        Rows("points_ledger", ledger, done.ledger),
        Rows("tier_changes", changes, done.changes),
        Rows("customer_achievements", ("customer_id", "achievement_id", "awarded_at"), done.awards),
    ]


def scheme_rows() -> list[Rows]:
    """Tiers and achievements, which there are before any customer."""
    tiers = ("id", "name", "rank", "points", "multiplier", "bonus")
    achievements = ("id", "code", "name", "kind", "threshold", "points")
    return [Rows("loyalty_tiers", tiers, TIERS), Rows("achievements", achievements, ACHIEVEMENTS)]


def referral_rows(referrals: Sequence[Referral]) -> Rows:
    """The table."""
    rows = [
        (
            *(each.id, each.referrer.id, each.referred.id, each.status, each.referred.joined),
            *(each.converted_at, each.rewarded_at),
        )
        for each in referrals
    ]
    columns = ("id", "referrer_id", "referred_id", "status", "created_at", "converted_at", "rewarded_at")
    return Rows("referrals", columns, rows)
