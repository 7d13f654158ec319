"""Where a backlog goes, by its samples."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import forecast
from callboard.core.health.forecast import FARTHEST_S, line

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def samples(depths: list[int]) -> list[tuple[datetime, int]]:
    return [(AT + timedelta(seconds=10 * number), depth) for number, depth in enumerate(depths)]


def test_a_backlog_that_shrinks_is_gone_when_its_pace_says() -> None:
    found = forecast(samples([300 - 10 * number for number in range(20)]), 100)

    assert found is not None
    assert (found.slope, found.drains_s, found.crosses_s) == (-1.0, 110.0, None)
    assert str(found) == "At the pace of the last 3 min, nothing waits in 1 min 50 s."


def test_a_backlog_that_grows_crosses_its_limit_when_its_pace_says() -> None:
    found = forecast(samples([2 * number for number in range(10)]), 100)

    assert found is not None
    assert (found.crosses_s, found.drains_s) == (410.0, None)
    assert str(found).endswith("the backlog grows by 12 a minute and is above its limit of 100 in 7 min.")
    above = forecast(samples([200 + 2 * number for number in range(10)]), 100)
    assert above is not None
    assert above.crosses_s is None
    assert "above its limit of 100 already" in str(above)


@pytest.mark.parametrize("depths", [[], [5], [5] * 5])
def test_few_samples_tell_nothing(depths: list[int]) -> None:
    assert forecast(samples(depths), 100) is None


def test_one_odd_sample_changes_nothing() -> None:
    steady = [40] * 30
    odd = [*steady[:20], 4_000, *steady[21:]]

    assert forecast(samples(odd), 100) == forecast(samples(steady), 100)


@given(st.lists(st.integers(0, 5_000), min_size=6, max_size=40), st.integers(0, 1_000))
def test_what_is_foretold_agrees_with_itself(depths: list[int], limit: int) -> None:
    found = forecast(samples(depths), limit)

    assert found is not None
    assert str(found).endswith(".")
    assert not (found.drains_s and found.crosses_s)
    if found.drains_s is not None:
        assert found.depth_in(found.drains_s) == pytest.approx(0, abs=1e-6)
    if found.crosses_s is not None:
        assert found.depth_in(found.crosses_s) == pytest.approx(max(limit, found.depth))
    for seconds in (found.drains_s, found.crosses_s):
        assert seconds is None or 0 <= seconds <= FARTHEST_S
    drawn = line(found, timedelta(minutes=10))
    assert drawn[0] == (found.at, found.depth)
    assert [at for at, _ in drawn] == sorted(at for at, _ in drawn)
    assert all(depth >= 0 for _, depth in drawn)
