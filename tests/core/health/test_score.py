"""The health score, and trends."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Facts, score, trend
from callboard.core.health.trends import Cell
from callboard.core.histogram import histogram

AT = datetime(2026, 1, 1, tzinfo=UTC)

facts = st.builds(
    Facts,
    queue=st.just("mail"),
    window_s=st.just(900.0),
    finished=st.integers(0, 10_000),
    failed=st.integers(0, 10_000),
    wait_p95_ms=st.none() | st.floats(0, 1e7),
    duration_p95_ms=st.none() | st.floats(0, 1e7),
    depth=st.integers(0, 10_000),
    oldest_due_ms=st.floats(0, 1e7),
    growth=st.floats(-100, 100),
    dead_growth=st.integers(-100, 100),
    workers=st.integers(0, 3),
    slots=st.integers(0, 24),
)


@given(facts)
def test_a_score_is_within_0_and_1_and_the_deductions_are_what_is_missing(found: Facts) -> None:
    result = score(found)

    assert all(each.amount > 0 and each.evidence.endswith(".") for each in result.deductions)
    if result.value is None:
        assert found.finished < 20
        assert "not enough data" in (result.note or "")
        return
    assert 0 <= result.value <= 1
    assert sum(each.amount for each in result.deductions) == pytest.approx(1 - result.value)


@given(facts)
def test_without_data_no_score_is_1(found: Facts) -> None:
    value = score(replace(found, finished=19)).value

    assert value is None or value <= 0.2


@given(
    facts,
    st.sampled_from(["failed", "wait_p95_ms", "duration_p95_ms", "depth", "oldest_due_ms", "dead_growth"]),
    st.integers(0, 10_000),
)
def test_what_is_worse_never_scores_better(found: Facts, name: str, more: int) -> None:
    changed: dict[str, Any] = {name: (getattr(found, name) or 0) + more}
    worse = replace(found, **changed)

    before, after = score(found).value, score(worse).value

    if before is not None and after is not None:
        assert after <= before + 1e-9


def test_nobody_to_do_the_work_scores_a_fifth_at_most() -> None:
    result = score(Facts("mail", 900, finished=500, depth=1, workers=0))

    assert result.value == 0.2
    assert result.deductions[-1].reason == "no_consumer"


def test_a_trend_tells_what_rises_against_the_window_before() -> None:
    now = [Cell(AT, 100, 30, histogram([1000] * 100), histogram([10] * 100))]
    before = [Cell(AT, 100, 10, histogram([100] * 100), histogram([10] * 100))]

    found = trend(now, before)

    assert {each.figure: each.direction for each in found.changes} == {
        "throughput": "steady",
        "failure_rate": "rising",
        "wait_p95_ms": "steady",
        "duration_p95_ms": "rising",
    }
    assert found.points[0].failure_rate == 0.3
    assert trend([], []).total is None
