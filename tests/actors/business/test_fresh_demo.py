"""Freshly made-up data: every business job finds something to do, and leaves nothing impossible behind."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from callboard.actors.business.air_quality import index
from callboard.control.actions import demo as actions
from callboard.core.demo import make
from callboard.storage.business import demo
from callboard.storage.engine import psycopg_url
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.sense import NEVER

#: Each job, in an order in which they may follow each other, and what it counts that must be more than 0.
FINDS = {
    "process-tier-upgrades": ("credited", "upgraded"),
    "process-referrals": ("rewarded",),
    "process-achievements": ("awarded",),
    "process-opportunity-offers": ("offered",),
    "opportunity-reminders": ("reminded",),
    "promotion-triggers": ("queued",),
    "process-promotion-deliveries": ("sent", "passed_over", "promotions_ended"),
    "calculate-promotion-analytics": ("changed",),
    "send-review-requests": ("requested",),
    "review-follow-ups": ("reminded",),
    "aggregate-portal-analytics": ("rows",),
    "aggregate-opportunity-analytics": ("changed",),
    "cleanup-old-alerts": ("processed",),
    "cleanup-old-uptime-logs": ("processed",),
    "cleanup-expired-portal-sessions": ("deleted",),
    "run-outbound-jobs": ("processed",),
    "process-email-queue": ("processed",),
    "process-streaming-video-queue": ("processed",),
    "sync-external-data": ("stored",),
    "game_platform_sync": ("linked", "added", "flagged"),
    "game_platform_totals_sweep": ("refreshed", "changed"),
    "fetch-paris-data": ("new",),
    "hourly-aggregations": ("processed",),
    "daily-statistics": ("finalised", "reports"),
    "generate-daily-reports": ("changed",),
}
#: Sentences about the moment at which the rows end: some jobs have run since, for some rows.
THEN = {
    "a job of more than a night ago is credited",
    "every portal day but the last has the figures of its events",
    "of two competitors the one with more points has the better rank",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture
def filled(
    surroundings: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    for name, value in sandbox.environ.items():
        monkeypatch.setenv(name, value)
    sandbox.reset()
    with engine.begin() as connection:
        day = datetime.now(UTC).date()
        for made in make(500, 7, day):
            demo.fill(connection, made)
        demo.report_days(connection, day, actions.REPORTS)
    return surroundings


def test_every_job_finds_something_to_do_and_leaves_nothing_impossible(
    filled: Any, database_url: str
) -> None:
    found = {}
    for name, counts in FINDS.items():
        result = filled.get_actor(name)()
        found[name] = {count: result.get(count, 0) for count in counts} | {"failed": result.get("failed", 0)}
    assert {name: counts for name, counts in found.items() if not all(counts[c] for c in FINDS[name])} == {}

    # The rows end now, not at midnight.
    now = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    with psycopg.connect(psycopg_url(database_url)) as connection:
        wrong = {
            sentence: rows[:3]
            for sentence, words in NEVER.items()
            if sentence not in THEN
            and (rows := connection.execute(words.replace(":now", f"'{now}'")).fetchall())
        }
    assert not wrong, wrong


def test_no_business_job_is_forgotten_here(surroundings: Any) -> None:
    business = {
        name
        for name in surroundings.get_declared_actors()
        if surroundings.get_actor(name).fn.__module__.startswith("callboard.actors.business")
    }
    # The full sync sends the sync and the sweep; two cleanups delete what ran a week or two ago.
    assert business - set(FINDS) == {"game_platform_full_sync", "job_queue_cleanup", "weekly-cleanup"}


def test_the_indices_of_the_air_are_those_that_the_job_would_reckon(
    surroundings: Any, engine: Engine
) -> None:
    day = date(2026, 11, 20)
    since = datetime(2026, 11, 10, tzinfo=UTC)
    kept = text(
        "SELECT measured_at, us_aqi, eu_aqi, dominant FROM business.measurements"
        " WHERE location_id = 7 AND measured_at >= :since ORDER BY measured_at"
    )
    with engine.begin() as connection:
        for made in make(1, 7, day):
            if made.table in ("locations", "measurements"):
                demo.fill(connection, made)
        before = connection.execute(kept, {"since": since}).all()
        connection.execute(
            text(
                "UPDATE business.measurements SET us_aqi = NULL, eu_aqi = NULL, dominant = NULL"
                " WHERE location_id = 7 AND measured_at >= :since"
            ),
            {"since": since},
        )
        index(connection, [7], since)
        assert connection.execute(kept, {"since": since}).all() == before
    assert len(before) == 240
