"""The portal's sessions, on the real table."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, insert, text

from callboard.core.clock import utcnow
from callboard.storage.tables.business import portal_sessions
from helpers.promises import Promise, assert_kept

NAME = "cleanup-expired-portal-sessions"


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("30 * * * *", 300, 1, "cleanup"))


def test_expired_sessions_are_marked_and_none_is_removed(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    # Given two that have expired, one of them marked long ago, and one that has not
    customer, now = add_customer(), utcnow()
    ages = [(timedelta(hours=-1), None), (timedelta(days=-9), now - timedelta(days=8)), (timedelta(1), None)]
    rows = [
        {"customer_id": customer, "expires_at": now + ends, "deleted_at": deleted} for ends, deleted in ages
    ]
    with engine.begin() as connection:
        connection.execute(insert(portal_sessions), rows)
    job = surroundings.get_actor(NAME)
    # When the job runs: first for show, then twice
    results = [job(dry_run=True), job(), job()]
    # Expect the one to be marked, once
    assert results == [
        {"processed": 1, "failed": 0, "deleted": 1, "dry_run": True},
        {"processed": 1, "failed": 0, "deleted": 1},
        {"processed": 0, "failed": 0},
    ]
    with engine.connect() as connection:
        query = text("SELECT deleted_at IS NULL FROM business.sessions ORDER BY expires_at")
        assert list(connection.execute(query).scalars()) == [False, False, True]
