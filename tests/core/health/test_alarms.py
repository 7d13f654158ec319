"""What is worth an alert, at its limit and beyond it."""

from dataclasses import replace

import pytest

from callboard.core.health import Facts, JobFacts, Recent, Thresholds, job_alarms, queue_alarms
from callboard.core.health.alarms import KINDS

WELL = Facts("mail", 900, finished=100, started=100, workers=1, slots=8, duration_p95_ms=400)
#: Facts at which the kind of alert is opened, and nothing less would open it.
AMISS = {
    "queue_health": replace(WELL, failed=30, oldest_due_ms=180_000),
    "queue_bottleneck": replace(WELL, workers=0, depth=1),
    "queue_backlog": replace(WELL, depth=101),
    "queue_slow": replace(WELL, duration_p95_ms=30_001),
}


def kinds(facts: Facts) -> set[str]:
    return {each.kind for each in queue_alarms(facts, Thresholds())}


def test_a_queue_that_does_well_raises_no_alarm() -> None:
    assert kinds(WELL) == set()
    assert kinds(replace(WELL, depth=100, duration_p95_ms=30_000)) == set(), "the limits are not exceeded"


@pytest.mark.parametrize("kind", AMISS)
def test_each_condition_of_a_queue_raises_its_alarm(kind: str) -> None:
    found = list(queue_alarms(AMISS[kind], Thresholds()))

    assert kind in [each.kind for each in found]
    for each in found:
        assert each.kind in KINDS
        assert each.subject == "mail"
        assert each.message.endswith(".")


def test_runs_that_take_too_long_are_told_with_the_job_that_takes_longest() -> None:
    jobs = (JobFacts("quick", 90, 9.0, p95_ms=50), JobFacts("slow", 10, 900.0, p95_ms=95_000))

    (found,) = queue_alarms(replace(WELL, duration_p95_ms=90_000, jobs=jobs), Thresholds())

    assert found.message == (
        "95 % of the runs in the queue mail take up to 1 min 30 s; the limit is 30.0 s."
        " The slowest are those of slow."
    )


def test_the_duration_of_a_few_runs_says_nothing() -> None:
    assert kinds(replace(WELL, finished=4, duration_p95_ms=90_000)) == set()
    assert kinds(replace(WELL, finished=5, duration_p95_ms=90_000)) == {"queue_slow"}


@pytest.mark.parametrize(
    ("finished", "failed", "severity"),
    [(20, 2, None), (20, 3, "warning"), (20, 10, "critical"), (4, 4, None), (5, 1, "warning"), (0, 0, None)],
)
def test_a_job_that_fails_too_often_raises_an_alarm(finished: int, failed: int, severity: str | None) -> None:
    found = list(job_alarms([Recent("sync", finished, failed)], Thresholds()))

    assert [each.severity for each in found] == ([severity] if severity else [])
    for each in found:
        assert (each.kind, each.subject) == ("job_failures", "sync")
        assert each.message.startswith(f"{failed} of the last {finished} runs of sync failed")
