"""Loyalty, on the real tables."""

from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from callboard.storage.tables.business import loyalty_tiers
from helpers.promises import Promise, assert_kept

PROMISED = {"process-tier-upgrades": Promise("0 3 * * *", 300, 1, "loyalty")}


@pytest.fixture
def tiers(engine: Engine) -> dict[str, int]:
    rows = [("Bronze", 1, 0), ("Silver", 2, 500), ("Gold", 3, 2_000)]
    with engine.begin() as connection:
        values = [{"name": name, "rank": rank, "points": points} for name, rank, points in rows]
        statement = insert(loyalty_tiers).returning(loyalty_tiers.c.name, loyalty_tiers.c.id)
        return {row.name: row.id for row in connection.execute(statement, values)}


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_customers_get_the_highest_tier_that_they_have_reached_once(
    surroundings: Any, engine: Engine, add_customer: Any, tiers: dict[str, int]
) -> None:
    # Given one who has risen by two tiers, one who has the right one, one who has more than the points say
    risen = add_customer(points=2_100, tier_id=tiers["Bronze"])
    right = add_customer(points=600, tier_id=tiers["Silver"])
    generous = add_customer(points=10, tier_id=tiers["Gold"])
    job = surroundings.get_actor("process-tier-upgrades")
    # When the job runs twice, in batches of one
    first, second = job(batch_size=1), job(batch_size=1)
    # Expect one upgrade, recorded once
    assert first == {"processed": 1, "failed": 0, "credited": 0, "upgraded": 1}
    assert second == {"processed": 0, "failed": 0}
    with engine.connect() as connection:
        held = dict(connection.execute(text("SELECT id, tier_id FROM business.customers")).all())
        changes = connection.execute(
            text("SELECT customer_id, from_tier_id, to_tier_id, points FROM business.tier_changes")
        ).all()
    assert held == {risen: tiers["Gold"], right: tiers["Silver"], generous: tiers["Gold"]}
    assert changes == [(risen, tiers["Bronze"], tiers["Gold"], 2_100)]


def test_a_completed_job_earns_a_point_a_euro_times_the_multiplier_of_the_tier_once(
    surroundings: Any, engine: Engine, add_customer: Any, tiers: dict[str, int]
) -> None:
    # Given jobs of somebody without a tier and of a gold customer, of less than a euro, of tomorrow
    first, gold = add_customer(), add_customer(tier_id=tiers["Gold"], points=0)
    jobs = [(first, 12_399, -1), (gold, 1_001, -1), (first, 99, -1), (first, 70_000, 1)]
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.loyalty_tiers SET multiplier = 1.5 WHERE name = 'Gold'"))
        for customer, cents, days in jobs:
            connection.execute(
                text(
                    "INSERT INTO business.completed_jobs (customer_id, title, amount_cents, completed_at)"
                    " VALUES (:customer, 'Work', :cents, now() + make_interval(days => :days))"
                ),
                {"customer": customer, "cents": cents, "days": days},
            )
    job = surroundings.get_actor("process-tier-upgrades")
    # When the job runs twice
    counted, again = job(), job()
    # Expect each job of the past credited once, whole points only
    assert (counted["credited"], counted["upgraded"]) == (2, 1)
    assert again == {"processed": 0, "failed": 0}
    with engine.connect() as connection:
        points = dict(connection.execute(text("SELECT id, points FROM business.customers")).all())
        ledger = connection.execute(
            text("SELECT customer_id, points, reason FROM business.points_ledger ORDER BY customer_id")
        ).all()
    assert points == {first: 123, gold: 15}
    assert ledger == [(first, 123, "job"), (gold, 15, "job")]


def test_a_tier_brings_its_bonus_once_and_that_may_reach_the_next(
    surroundings: Any, engine: Engine, add_customer: Any, tiers: dict[str, int]
) -> None:
    # Given tiers with bonuses, and a customer whom Silver's bonus brings to Gold
    customer = add_customer(points=1_950, tier_id=tiers["Bronze"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.loyalty_tiers SET bonus = 50 WHERE name <> 'Bronze'"))
    job = surroundings.get_actor("process-tier-upgrades")
    # When the job runs, and again after the tier was taken away by hand
    assert job()["upgraded"] == 1
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.customers SET tier_id = NULL"))
    assert job()["upgraded"] == 1
    # Expect both tiers, and each bonus once
    with engine.connect() as connection:
        points, tier = connection.execute(text("SELECT points, tier_id FROM business.customers")).one()
        bonuses = connection.execute(text("SELECT reference, points FROM business.points_ledger")).all()
    assert (points, tier) == (2_050, tiers["Gold"]), customer
    assert sorted(bonuses) == sorted([(str(tiers["Silver"]), 50), (str(tiers["Gold"]), 50)])


def test_a_dry_run_counts_and_changes_nothing(
    surroundings: Any, engine: Engine, add_customer: Any, tiers: dict[str, int]
) -> None:
    add_customer(points=2_100)

    result = surroundings.get_actor("process-tier-upgrades")(dry_run=True)

    assert result == {"processed": 1, "failed": 0, "credited": 0, "upgraded": 1, "dry_run": True}
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM business.tier_changes")) == 0
