"""Achievements, referrals and the portal's figures, on made-up data in the real tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard.core.demo import make
from callboard.storage.business import demo
from callboard.storage.business.portal import aggregate
from helpers.promises import Promise, assert_kept

PROMISED = {
    "process-achievements": Promise("0 4 * * *", 300, 1, "loyalty"),
    "process-referrals": Promise("0 */4 * * *", 300, 2, "loyalty"),
    "aggregate-portal-analytics": Promise("0 1 * * *", 300, 1, "analytics"),
}
WRONG = """
SELECT count(*) FROM business.customers c
 WHERE points <> (SELECT coalesce(sum(l.points), 0) FROM business.points_ledger l WHERE l.customer_id = c.id)
"""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        for rows in make(100, 7, datetime.now(UTC).date()):
            demo.fill(connection, rows)
    return engine


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


@pytest.mark.parametrize(
    ("name", "counted"), [("process-achievements", "awarded"), ("process-referrals", "rewarded")]
)
def test_points_are_given_once_and_agree_with_the_ledger(
    surroundings: Any, filled: Engine, name: str, counted: str
) -> None:
    job = surroundings.get_actor(name)
    assert job(dry_run=True)[counted] > 0
    assert job(batch_size=7)[counted] > 0
    assert job() == {"processed": 0, "failed": 0}
    with filled.connect() as connection:
        assert connection.scalar(text(WRONG)) == 0


def test_the_days_of_the_portal_are_computed_anew(surroundings: Any, filled: Engine) -> None:
    job = surroundings.get_actor("aggregate-portal-analytics")
    first = job(days=5)
    assert first["rows"] > 5
    assert job(days=5) == first
    with filled.begin() as connection:
        connection.execute(text("DELETE FROM business.portal_events"))
    assert job(days=5)["rows"] == 0
    with filled.connect() as connection:
        kept = "SELECT count(*) FROM business.portal_daily WHERE day >= :since"
        since = datetime.now(UTC).date() - timedelta(days=5)
        assert connection.scalar(text(kept), {"since": since}) == 0


def test_days_on_which_nothing_was_at_work_are_made_good(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    # Given events of each of ten days, and figures of the first
    customer = add_customer()
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO business.portal_events (customer_id, kind, at)"
                " SELECT :id, 'view', now() - ago * interval '1 day' FROM generate_series(1, 10) AS ago"
            ),
            {"id": customer},
        )
        aggregate(connection, datetime.now(UTC).date() - timedelta(days=10))

    result = surroundings.get_actor("aggregate-portal-analytics")()

    assert result == {"days": 9, "rows": 18}
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(DISTINCT day) FROM business.portal_daily")) == 10


@pytest.mark.parametrize("name", ["process-tier-upgrades", "process-achievements"])
def test_a_customer_whom_somebody_refers_to_at_this_moment_is_not_left_out(
    surroundings: Any, engine: Engine, add_customer: Any, name: str
) -> None:
    add_customer(points=500, created_at=datetime.now(UTC) - timedelta(days=3))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO business.loyalty_tiers (name, rank, points) VALUES ('Gold', 1, 100)")
        )
        connection.execute(
            text(
                "INSERT INTO business.achievements (code, name, kind, threshold, points)"
                " VALUES ('new', 'New', 'days', 1, 5)"
            )
        )
    with engine.begin() as other:
        # An event of theirs is written, and not committed yet
        other.execute(
            text(
                "INSERT INTO business.portal_events (customer_id, kind)"
                " SELECT id, 'view' FROM business.customers"
            )
        )
        assert surroundings.get_actor(name)()["processed"] == 1
