"""What is usual for a queue leaves the trouble out, and threads that are shared are told apart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callboard.core.health import find_bottlenecks
from callboard.core.histogram import histogram
from callboard.core.holds import CAUSES
from callboard.core.settings import load_settings
from callboard.storage.pools import shares
from callboard.storage.queue_facts import facts_of, thresholds
from callboard.storage.samples import Sample

NOW = datetime(2026, 3, 2, 12, 40, tzinfo=UTC)
START = NOW - timedelta(minutes=15)
MINUTE = START + timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOON = NOW.replace(minute=0)


def row(at: datetime, finished: int, ms: float, job: str = "send") -> dict[str, Any]:
    return {
        "job": job,
        "bucket": at,
        "started": finished,
        "finished": finished,
        "failed": 0,
        "retried": 0,
        "busy_ms": finished * ms,
        "duration_hist": histogram([ms] * finished),
        "wait_hist": histogram([90_000] * finished),
        "waited_ms": 0.0,
        **{f"held_{cause}_ms": 0.0 for cause in CAUSES},
    }


def sampled(since: datetime | None) -> dict[str, Any]:
    return {"first_at": START, "first_depth": 10, "first_dead": 0, "since": since}


SAMPLE = Sample("mail", 500, 0, 200_000, 8, 0, 1, 8, 8, None)


@pytest.mark.parametrize("known", [True, False], ids=["from the samples", "by the hours"])
def test_three_hours_of_a_slow_dependency_do_not_become_what_is_usual(known: bool) -> None:
    hours = [row(NOON - hour * HOUR, 3_000, 6_000 if hour <= 3 else 1_000) for hour in range(1, 24)]
    minutes = [row(MINUTE, 1_000, 6_000)]

    waiting = sampled(NOON - 3 * HOUR if known else MINUTE)
    facts = facts_of(SAMPLE, NOW, START, {"mail": minutes}, {"mail": hours}, waiting, ())

    assert facts.jobs[0].baseline_p95_ms == pytest.approx(1_000, rel=0.19)
    assert find_bottlenecks(facts)[0].cause == "slow_dependency"


def test_the_usual_rate_is_of_the_hours_before_the_trouble_and_of_all_jobs() -> None:
    quiet = [row(NOON - hour * HOUR, 1_800, 1_000) for hour in range(3, 24)]
    rare = [row(NOON - 3 * HOUR, 10, 1_000, "rare")]
    flood = [row(NOON - hour * HOUR, 9_000, 1_000) for hour in (1, 2)]
    minutes = [row(MINUTE, 450, 1_000)]

    facts = facts_of(
        SAMPLE, NOW, START, {"mail": minutes}, {"mail": [*quiet, *rare, *flood]}, sampled(NOON - 2 * HOUR), ()
    )

    assert facts.jobs[0].baseline_rate == pytest.approx(0.5)
    assert facts.baseline_rate == pytest.approx((21 * 1_800 + 10) / (21 * 3_600))


def test_a_queue_that_began_to_wait_before_all_that_is_known_has_what_there_is() -> None:
    hours = [row(NOON - HOUR, 3_000, 1_000)]

    facts = facts_of(
        SAMPLE, NOW, START, {"mail": [row(MINUTE, 900, 1_000)]}, {"mail": hours}, sampled(NOON - HOUR), ()
    )

    assert facts.baseline_rate == pytest.approx(3_000 / 3_600)


def test_of_shared_threads_a_queue_has_what_the_others_leave() -> None:
    sample = Sample("mail", 500, 0, 200_000, 0, 0, 1, 8, 0, None, shares={"bulk": 0.5})
    minutes = {"mail": [row(MINUTE, 20, 2_000)], "bulk": [row(MINUTE, 13_000, 1_000, "flood")]}
    hours = {"bulk": [row(NOON - hour * HOUR, 360, 1_000, "flood") for hour in range(1, 24)]}

    facts = facts_of(sample, NOW, START, minutes, hours, sampled(None), ())

    assert (facts.busy_s, facts.taken_s) == (40, 6_500)
    assert facts.utilisation == pytest.approx(6_540 / 7_200)
    assert find_bottlenecks(facts)[0].cause == "noisy_neighbour"


def test_a_queue_whose_threads_all_have_long_runs_of_another_one_is_not_stalled() -> None:
    sample = Sample("mail", 3, 0, 1_900_000, 0, 0, 1, 8, 0, None, shares={"bulk": 1.0}, taken=8)

    facts = facts_of(sample, NOW, START, {}, {}, sampled(NOON), ())

    assert facts.utilisation == 1
    assert find_bottlenecks(facts)[0].cause == "capacity"


def test_threads_are_shared_with_the_queues_of_the_same_workers() -> None:
    fleet = {
        "one": {"threads": 8, "queues": ["mail", "bulk"]},
        "two": {"threads": 10, "stuck": 2, "queues": ["bulk"]},
        "three": {"threads": 4, "queues": ["alone"]},
    }

    assert shares(fleet) == {"mail": {"bulk": 0.5}, "bulk": {"mail": 1.0}}


def test_the_wait_that_is_aimed_at_is_a_setting() -> None:
    given = {"DATABASE_URL": "postgresql://u@h/db", "REDIS_URL": "redis://h/0"}
    settings = load_settings({**given, "QUEUE_HEALTH_WAITING_TIME": "5000"})

    assert thresholds(settings).wait_ms == 5_000
