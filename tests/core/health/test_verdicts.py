"""The verdict against the truth, over synthetic histories."""

import pytest

from callboard.core.health import Facts, Held, JobFacts, find_bottlenecks, recommend
from helpers.histories import CAUSES, SETTINGS, confusion, verdicts


def test_the_verdict_names_the_right_cause_of_95_in_100_histories() -> None:
    table = verdicts(1, 70)

    right = sum(times for (cause, said), times in table.items() if cause == said)
    assert right >= 67, confusion(table)
    assert {cause for cause, _ in table} == set(CAUSES)


def test_a_queue_that_does_well_raises_no_alarm_in_98_of_100_histories() -> None:
    table = verdicts(2, 50, ("none",))

    assert table["none", "none"] >= 49, confusion(table)


@pytest.mark.parametrize(
    ("setting", "count"), [("three hours", 4), ("shared workers", 16), ("fresh install", 8)]
)
def test_the_right_cause_is_named_in_other_settings_too(setting: str, count: int) -> None:
    table = verdicts(3, count, SETTINGS[setting], setting)

    right = sum(times for (cause, said), times in table.items() if cause == said)
    assert right >= 0.9 * count, confusion(table)


def test_a_pause_comes_before_what_it_causes() -> None:
    facts = Facts("mail", 900, depth=500, workers=1, slots=8, paused="maintenance")

    first = find_bottlenecks(facts)[0]

    assert (first.cause, first.type, first.severity) == ("paused", "high_wait_time", "high")
    assert "maintenance" in first.evidence


def test_nothing_started_for_two_windows_is_a_stall() -> None:
    facts = Facts("mail", 900, depth=3, workers=1, slots=8, oldest_due_ms=1_900_000)

    assert find_bottlenecks(facts)[0].cause == "stalled"


def test_what_a_limit_holds_back_is_not_for_want_of_workers() -> None:
    held = (Held("limit", "tenant:7", 100),)
    facts = Facts(
        "mail", 900, started=5, depth=50, parked=100, held=held, oldest_due_ms=70_000, workers=1, slots=8
    )

    (first, *_) = find_bottlenecks(facts)

    assert first.cause == "limited"
    assert first.evidence == "100 of 150 runs that wait are held back by the limit tenant:7."
    assert "more workers would not help" in recommend(facts, (first,))[0].text


def test_a_dead_consumers_replacement_is_counted_by_what_runs_usually_take() -> None:
    facts = Facts("mail", 900, depth=600, growth=1.0, usual_mean_s=3.0)

    (advice, *_) = recommend(facts, find_bottlenecks(facts))

    # (1 + 600 / 600) x 3 / 0.75 = 8 threads: one worker of 8.
    assert advice.text == "Start 1 worker of 8 threads: it clears the backlog of 600 in 10 min."


def test_too_few_workers_are_counted_up() -> None:
    # 35/s by 4 workers of 8 threads, and 7/s more than that arrive.
    mean = 32 / 35
    jobs = (JobFacts("send", 35 * 900, 35 * 900 * mean, baseline_rate=42),)
    facts = Facts(
        "mail", 900, finished=35 * 900, started=35 * 900, jobs=jobs, depth=6300, growth=7,
        oldest_due_ms=180_000, workers=4, slots=32, baseline_rate=42,
    )  # fmt: skip

    found = find_bottlenecks(facts)
    (advice, *_) = recommend(facts, found)

    assert (found[0].cause, found[0].severity) == ("capacity", "critical")
    # (42 + 6300 / 600) x 0.914 / 0.75 = 64 threads: 8 workers of 8.
    assert advice.workers == 4
    assert advice.text == (
        "Arrivals 42/s, capacity 35/s: 4 more workers of 8 threads clear the backlog in 10 min."
    )
