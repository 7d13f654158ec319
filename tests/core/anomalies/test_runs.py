"""Runs that succeeded, judged by the successes before them."""

import math
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.anomalies import Baseline, Ended, Finding, Usual, judge_run, plain, unusual, usual_of
from callboard.core.histogram import histogram

AT = datetime(2026, 1, 1, tzinfo=UTC)


def ended(ms: float, processed: float | None = None, number: int = 0) -> Ended:
    return Ended(UUID(int=number), AT + timedelta(minutes=number), ms, processed)


def steady(ms: float = 20_000, count: int = 50, processed: float | None = None) -> list[Ended]:
    """Runs that take nearly the same, up to 4 % more or less."""
    return [
        ended(ms * (1 + 0.01 * (number % 9 - 4)), processed and processed + number % 3)
        for number in range(count)
    ]


def judged(run: Ended, before: list[Ended], **more: object) -> list[Finding]:
    return list(judge_run("mail", run, before, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("spread", [0.03, 0.2, 0.5, 1.0, 1.6])
@pytest.mark.parametrize("compared", [20, 50])
def test_healthy_histories_raise_a_false_alarm_for_two_runs_in_a_hundred_at_most(
    spread: float, compared: int
) -> None:
    dice = random.Random(f"{spread} {compared}")
    runs = [
        ended(20_000 * dice.lognormvariate(0, spread), round(300 * dice.lognormvariate(0, spread)), number)
        for number in range(1_500)
    ]
    usual = Usual.of(histogram(run.duration_ms for run in runs))

    false = sum(
        bool(judged(run, runs[number - 1 : number - 1 - compared : -1], percentiles=usual))
        for number, run in enumerate(runs)
        if number > compared
    )

    assert false <= 0.02 * (len(runs) - compared)


@pytest.mark.parametrize(("ms", "strange"), [(29_000, False), (31_000, True), (11_000, False), (9_000, True)])
def test_half_as_long_again_and_half_as_long_are_where_durations_become_strange(
    ms: float, strange: bool
) -> None:
    found = judged(ended(ms), steady())

    assert [each.kind for each in found] == (["duration"] if strange else [])
    assert unusual(ended(ms), usual_of(steady())) is strange


def test_a_long_run_is_told_with_what_is_usual() -> None:
    (found,) = judged(ended(140_000, number=7), steady())

    assert (
        found.evidence
        == "It took 2 min 20 s, 7.0 times the usual 20.0 s: the median of the last 50 successes."
    )
    assert (found.run_id, found.severity) == (UUID(int=7), "warning")
    assert found.since == AT + timedelta(minutes=7)


def test_too_few_runs_say_nothing_and_milliseconds_are_noise() -> None:
    assert judged(ended(140_000), steady(count=19)) == []
    assert judged(ended(90), steady(ms=10)) == []


def test_the_same_hour_of_the_week_decides_once_it_is_known() -> None:
    nightly = Baseline.of_histogram(histogram([130_000] * 8))
    few = Baseline.of_histogram(histogram([130_000] * 7))

    assert judged(ended(140_000), steady(), at_hour=nightly) == []
    assert len(judged(ended(140_000), steady(), at_hour=few)) == 1
    (found,) = judged(ended(400_000), steady(), at_hour=nightly)
    assert "8 runs at this hour of the week" in found.evidence


def test_a_success_in_no_time_is_suspicious_and_told_once() -> None:
    usual = Usual.of(histogram([20_000] * 500))

    (found,) = judged(ended(300), steady(), percentiles=usual)
    assert found.kind == "suspicious_success"
    assert found.evidence.startswith("It succeeded in 300 ms; usual is 20.0 s, and 99 % of 500 runs took")
    few = Usual.of(histogram([20_000] * 99))
    assert [each.kind for each in judged(ended(300), steady(), percentiles=few)] == ["duration"]


@pytest.mark.parametrize(("processed", "strange"), [(0, True), (90, False), (140, False), (4_000, True)])
def test_a_success_that_did_much_less_or_more_than_ever_is_suspicious(processed: int, strange: bool) -> None:
    found = judged(ended(20_000, processed), steady(processed=100))

    assert [each.kind for each in found] == (["suspicious_success"] if strange else [])


def test_counts_that_are_seldom_told_or_vary_widely_say_nothing() -> None:
    wide = [ended(20_000, 10 ** (number % 5)) for number in range(50)]

    assert judged(ended(20_000, 0), steady()) == []
    assert judged(ended(20_000, 0), wide) == []
    assert judged(ended(20_000, None), steady(processed=100)) == []


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=80), st.floats(0.1, 1e6))
def test_a_baseline_is_the_median_and_scales(values: list[float], factor: float) -> None:
    found, scaled = (
        Baseline.of([each + 1 for each in values]),
        Baseline.of([(each + 1) * 1e3 for each in values]),
    )

    assert found is not None
    assert scaled is not None
    assert min(values) + 1 <= found.median * 1.000001
    assert found.median <= (max(values) + 1) * 1.000001
    assert scaled.median == pytest.approx(found.median * 1e3)
    assert scaled.spread == pytest.approx(found.spread)
    assert found.z(found.median * factor) * math.log(factor) >= -1e-6 or found.median * factor < 1


@given(st.lists(st.floats(2, 1e8), min_size=1, max_size=60))
def test_a_baseline_of_a_histogram_is_within_a_bucket_of_the_exact_one(values: list[float]) -> None:
    low, high = sorted(values)[(len(values) - 1) // 2], sorted(values)[len(values) // 2]
    found = Baseline.of_histogram(histogram(values))

    assert found is not None
    assert found.count == len(values)
    assert low / 1.2 <= found.median <= high * 1.2


counted = st.none() | st.integers(0, 1_000)
successes = st.builds(ended, st.integers(0, 5_000), counted)


@given(successes, st.lists(successes, min_size=15, max_size=60), st.integers(0, 5_000))
def test_a_glance_passes_over_nothing_that_a_close_look_finds(
    run: Ended, before: list[Ended], p1: int
) -> None:
    percentiles = Usual(200, p1, 2 * p1, 3 * p1)

    if plain(run, before):
        assert judged(run, before, percentiles=percentiles) == []


def test_most_runs_of_a_steady_job_need_no_more_than_a_glance() -> None:
    assert plain(ended(20_500, processed=300), steady(processed=300))
    assert not plain(ended(31_000), steady())
    assert not plain(ended(20_000, processed=900), steady(processed=300))


def test_a_finding_says_how_far_from_usual_it_is() -> None:
    (slow,) = judged(ended(140_000), steady())
    (idle,) = judged(ended(20_000, processed=29), steady(processed=300))

    assert slow.ratio == pytest.approx(7, rel=0.02)
    assert idle.ratio == pytest.approx(0.1, rel=0.02)
