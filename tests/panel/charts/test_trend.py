"""Which buckets of a trend are drawn."""

from datetime import UTC, datetime, timedelta

from callboard.core.health import Trend, Usual, trend
from callboard.core.health.trends import Cell
from callboard.core.histogram import histogram
from callboard.panel.charts.trend import counts, percentiles, rates

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def hours(*finished: int) -> Trend:
    """So many runs, of a second each, that ended in each hour; the last one is not over."""
    cells = [
        Cell(AT + timedelta(hours=number), runs, 0, histogram([1_000] * runs), histogram([10] * runs))
        for number, runs in enumerate(finished)
    ]
    return trend(cells, [], [Usual(finished=2.0) for _ in cells])


def test_the_bucket_that_is_not_over_would_look_like_a_slump_and_is_left_out() -> None:
    found = hours(60, 60, 1)

    assert list(counts(found, 3_600)["ended"]) == [60, 60]
    assert list(counts(found, 3_600)["usual"]) == [2.0, 2.0]
    assert len(rates(found)) == len(percentiles(found, "duration")) == 2


def test_where_nothing_ended_before_it_is_all_that_there_is_to_show() -> None:
    found = hours(0, 0, 42)

    assert list(counts(found, 3_600)["ended"]) == [0, 0, 42]
    assert len(rates(found)) == len(percentiles(found, "wait")) == 1
