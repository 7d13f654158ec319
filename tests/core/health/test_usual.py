"""What is usual, by the hours before; and since when something is not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Minute
from callboard.core.health.baseline import usual_p95
from callboard.core.health.minutes import since_when
from callboard.core.histogram import histogram

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.lists(st.lists(st.floats(1, 1e6), max_size=30), max_size=12))
def test_the_usual_lies_within_what_was_there_and_needs_twenty_runs(hours: list[list[float]]) -> None:
    found = usual_p95([histogram(hour) for hour in hours])

    runs = [ms for hour in hours for ms in hour]
    assert (found is None) == (len(runs) < 20)
    if found is not None:
        assert min(runs) / 1.2 <= found <= max(runs) * 1.2


@given(st.integers(1, 11), st.integers(1, 12))
def test_bad_hours_move_the_usual_by_nothing_as_long_as_most_are_good(bad: int, factor: int) -> None:
    hours = [histogram([1_000.0] * 40) for _ in range(23 - bad)] + [histogram([1_000.0 * factor] * 40)] * bad

    assert usual_p95(hours) == usual_p95(hours[:1])


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), max_size=30))
def test_something_is_amiss_from_a_minute_on_after_which_no_stretch_was_well(
    told: list[tuple[int, bool]],
) -> None:
    minutes = [
        Minute(AT + timedelta(minutes=number), "a", count, count, count if bad else 0, 0)
        for number, (count, bad) in enumerate(told)
    ]

    since = since_when(minutes, lambda some: any(each.failed for each in some), few=1)

    ran = [each for each in minutes if each.finished]
    well = [each.at for each in ran if not each.failed]
    later = [each.at for each in ran if not well or each.at > well[-1]]
    assert since == (later[0] if later else None)
