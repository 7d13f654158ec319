"""What runs waited for, who held the threads, and what is usual."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Waited, blame, usual, wait_parts
from callboard.core.health.trends import Cell
from callboard.core.histogram import histogram
from callboard.core.holds import CAUSES

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ms = st.floats(0, 1e9)
waits = st.builds(
    Waited,
    runs=st.integers(1, 10_000),
    lag_ms=ms,
    delay_ms=ms,
    wait_ms=ms,
    hand_ms=ms,
    parked=st.none() | st.floats(0, 1e5),
    depth=st.none() | st.floats(0, 1e5),
    held_ms=st.dictionaries(st.sampled_from(CAUSES), ms),
)


@given(waits)
def test_the_parts_of_a_wait_are_all_of_it(waited: Waited) -> None:
    parts = wait_parts(waited)

    whole = (waited.lag_ms + waited.delay_ms + waited.wait_ms) / waited.runs
    assert sum(each.mean_ms for each in parts) == pytest.approx(whole)
    assert all(each.mean_ms >= 0 for each in parts)
    assert sum(each.share for each in parts) == pytest.approx(1 if whole else 0)


def test_what_is_held_back_is_told_from_what_waits_for_a_worker_by_how_many_did_so() -> None:
    waited = Waited(10, lag_ms=0, delay_ms=0, wait_ms=5_000, hand_ms=1_000, parked=30, depth=10)

    assert {each.part: each.mean_ms for each in wait_parts(waited)} == {
        "lag": 0, "delay": 0, "held": 300, "worker": 100, "hand": 100,
    }  # fmt: skip
    unknown = wait_parts(Waited(10, 0, 0, 5_000, 1_000))
    assert {each.part for each in unknown} == {"lag", "delay", "queue", "hand"}
    assert wait_parts(Waited(0, 0, 0, 0, 0)) == ()


def test_what_was_noted_of_why_runs_were_held_back_goes_before_what_is_estimated() -> None:
    noted = {"mutex": 2_000, "pause": 1_000}
    waited = Waited(10, 0, 0, wait_ms=5_000, hand_ms=1_000, parked=30, depth=10, held_ms=noted)

    assert {each.part: each.mean_ms for each in wait_parts(waited)} == {
        "lag": 0, "delay": 0, "pause": 100, "mutex": 200, "worker": 100, "hand": 100,
    }  # fmt: skip


busy = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e6), max_size=6)


@given(busy, busy)
def test_the_blame_is_shared_out_whole_and_the_largest_excess_comes_first(
    now: dict[str, float], then: dict[str, float]
) -> None:
    found = blame(now, then)

    assert sum(each.share for each in found) == pytest.approx(1 if any(now.values()) else 0)
    excesses = [each.notable_s for each in found]
    assert excesses == sorted(excesses, reverse=True)
    assert {each.job for each in found} == {job for job, seconds in now.items() if seconds > 0}
    assert all(each.usual_s == then.get(each.job) for each in found)


def week(finished: int, failed: int = 0, took_ms: float = 100) -> Cell:
    return Cell(AT, finished, failed, histogram([took_ms] * finished), histogram([5] * finished))


def test_an_odd_week_does_not_change_what_is_usual() -> None:
    told = usual([week(60, 3), week(62, 3), week(61, 3), week(5_000, 4_000, took_ms=90_000)])

    assert told.finished == 61.5
    assert told.failure_rate == pytest.approx(0.05, abs=0.002)
    assert told.duration_p95_ms == pytest.approx(100, rel=0.19)
    assert usual([week(60)] * 3, share=1 / 60).finished == 1


def test_what_is_usual_takes_three_weeks() -> None:
    assert usual([week(60), week(60)]).finished is None
    idle = usual([week(60), week(60), week(0)])
    assert (idle.finished, idle.failure_rate) == (60, None), "a week without runs is known, its rate is not"
