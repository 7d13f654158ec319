"""The verdict on facts that once led it astray."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callboard.core.health import Facts, Held, JobFacts, Minute, Thresholds, find_bottlenecks, recommend
from callboard.core.histogram import histogram

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: A queue whose 8 threads have had no rest, and whose backlog grows.
BOTH = (JobFacts("a", 900, 3_600.0), JobFacts("b", 900, 3_600.0))
BUSY = Facts(
    "mail", 900, finished=1_800, started=1_800, jobs=BOTH,
    depth=500, growth=1.0, oldest_due_ms=300_000, workers=1, slots=8,
)  # fmt: skip


def causes(facts: Facts, limits: Thresholds = Thresholds()) -> list[str]:  # noqa: B008
    return [each.cause for each in find_bottlenecks(facts, limits)]


@pytest.mark.parametrize(
    ("runs", "baseline_rate", "named"),
    [(1_000, None, False), (1, 1 / 3_600, False), (1_000, 0.9, False), (1_000, 0.3, True)],
    ids=["unknown", "rare", "usual", "known"],
)
def test_a_neighbour_is_named_only_against_what_is_known_to_be_usual(
    runs: int, baseline_rate: float | None, named: bool
) -> None:
    jobs = (JobFacts("a", runs, 6_000.0, baseline_rate=baseline_rate), JobFacts("b", 900, 1_200.0))

    found = causes(replace(BUSY, jobs=jobs))

    assert found[0] == ("noisy_neighbour" if named else "capacity")


@pytest.mark.parametrize(("runs", "slow"), [(1, False), (19, False), (20, True)])
def test_a_job_is_slow_by_twenty_runs_not_by_one(runs: int, slow: bool) -> None:
    late = JobFacts("a", runs, 3_600.0, p95_ms=9_000, baseline_p95_ms=1_000)

    found = causes(replace(BUSY, jobs=(late, BUSY.jobs[1])))

    assert ("slow_dependency" in found) is slow


def test_a_few_runs_in_a_rare_time_are_no_burst() -> None:
    facts = Facts(
        "mail", 900, finished=3, depth=2, oldest_due_ms=90_000, baseline_rate=0.0003, workers=1, slots=8
    )

    assert causes(facts) == ["backlog"]


def test_a_breaker_that_holds_back_little_hides_nothing() -> None:
    held = (Held("breaker", "smtp", 10), Held("breaker", "sms", 2))

    found = find_bottlenecks(replace(BUSY, parked=12, held=held))

    assert [each.cause for each in found][:2] == ["capacity", "breaker_open"]
    assert (
        found[1].evidence
        == "12 of 512 runs that wait are held back by the open circuit breaker smtp and 1 other."
    )


def test_a_breaker_that_holds_back_most_comes_first_and_is_as_old_as_it_is() -> None:
    since = NOW - timedelta(hours=1)
    held = (Held("breaker", "smtp", 900, since),)

    found = find_bottlenecks(replace(BUSY, parked=900, held=held, since=NOW))

    assert [each.cause for each in found] == ["breaker_open", "capacity"]
    assert [each.since for each in found] == [since, NOW]


def test_runs_of_a_paused_job_are_held_back_by_its_pause() -> None:
    facts = Facts("mail", 900, parked=500, held=(Held("pause", "sync", 500, NOW),), workers=1, slots=8)

    (found,) = find_bottlenecks(facts)
    (few,) = find_bottlenecks(replace(facts, parked=3, held=(Held("pause", "sync", 3),)))

    assert (found.cause, found.severity, found.since) == ("job_paused", "high", NOW)
    assert found.evidence == "500 of 500 runs that wait are held back by the pause of the job sync."
    assert (few.cause, few.severity) == ("job_paused", "low")
    assert causes(replace(facts, paused="tea", depth=1)) == ["paused"]


@pytest.mark.parametrize(("cause", "named"), [("limit", "limited"), ("mutex", "mutex"), ("overlap", "mutex")])
def test_a_limit_that_takes_much_of_the_wait_is_named_though_nothing_is_parked_now(
    cause: str, named: str
) -> None:
    facts = replace(BUSY, waited_ms=1_000_000, held_ms={cause: 400_000})

    found = find_bottlenecks(facts)

    assert [each.cause for each in found] == [named, "backlog"]
    assert found[0].evidence.startswith("40% of the time that runs waited they were held back by ")


def test_threads_that_other_queues_keep_busy_are_none_of_this_one() -> None:
    flood = JobFacts("flood", 9_000, 7_000.0, baseline_rate=1.0, queue="bulk")
    facts = replace(
        BUSY, finished=20, started=20, jobs=(JobFacts("a", 20, 40.0),), taken_s=7_000.0, neighbours=(flood,)
    )

    named = find_bottlenecks(facts)[0]
    unknown = find_bottlenecks(replace(facts, neighbours=(replace(flood, baseline_rate=None),)))

    assert named.cause == "noisy_neighbour"
    assert "flood (queue bulk) takes 99% of the threads' time" in named.evidence
    assert unknown[0].cause == "capacity"
    assert unknown[0].evidence.startswith("8 threads were busy 98% of the time, with other queues' runs 97%:")
    # 7.8 threads for the others, and (1.02 + 500 / 600) x 2 / 0.75 = 5 for its own: a second worker of 8
    assert recommend(facts, unknown)[0].workers == 1
    assert facts.capacity == pytest.approx((8 - 7_000 / 900) / 2)


def test_what_a_backlog_takes_is_worked_out_where_nothing_else_is_its_cause() -> None:
    waits = Facts("mail", 900, finished=90, started=90, jobs=(JobFacts("a", 90, 180.0),), depth=20)
    alone = replace(waits, oldest_due_ms=300_000, workers=1, slots=8)
    unserved = replace(waits, oldest_due_ms=300_000)
    paused = replace(alone, paused="Maintenance", paused_at=NOW)

    assert [each.text for each in recommend(alone, find_bottlenecks(alone))] == [
        "Arrivals 0.1/s, capacity 4/s, 20 runs wait: it drains in 5.1 s."
    ]
    start, wait = recommend(unserved, find_bottlenecks(unserved))
    assert start.text == "Start 1 worker of 8 threads: it clears the backlog of 20 in 10 min."
    assert (wait.cause, wait.text) == ("backlog", "It clears once the cause that is named first is gone.")
    assert "more worker" not in " ".join(each.text for each in recommend(paused, find_bottlenecks(paused)))


def test_a_queue_that_others_leave_no_thread_is_not_stalled() -> None:
    facts = Facts("mail", 900, depth=3, oldest_due_ms=1_900_000, workers=1, slots=8, taken_s=7_200.0)

    assert causes(facts)[0] == "capacity"


def test_a_finding_without_a_backlog_tells_since_when_it_holds() -> None:
    def minute(ago: int, failed: int, ms: float) -> Minute:
        return Minute(NOW - timedelta(minutes=ago), "a", 30, 30, failed, 0, histogram([ms] * 30))

    minutes = [minute(ago, 20 if ago <= 4 else 0, 90_000 if ago <= 7 else 100) for ago in range(1, 16)]
    facts = Facts(
        "mail", 900, finished=450, failed=80, started=450, duration_p95_ms=90_000, minutes=tuple(minutes),
        workers=1, slots=900,
    )  # fmt: skip

    found = {each.cause: each.since for each in find_bottlenecks(facts)}

    assert found == {
        "failures": NOW - timedelta(minutes=4),
        "slow_runs": NOW - timedelta(minutes=7),
    }
