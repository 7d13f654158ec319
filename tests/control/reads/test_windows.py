"""Windows of time in buckets."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.control.reads.windows import MOST_BUCKETS, WIDTHS_S, window
from callboard.core.errors import BadInput

NOW = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "width_s", "base_s"),
    [(1, 60, 60), (24, 900, 60), (168, 10_800, 3_600), (720, 86_400, 86_400), (2_160, 86_400, 86_400)],
)
def test_the_width_is_the_narrowest_that_makes_few_enough_buckets(hours, width_s, base_s):
    found = window(hours, now=NOW)

    moments = list(found.moments())
    assert (found.width_s, found.base_s) == (width_s, base_s)
    assert len(moments) <= MOST_BUCKETS + 1
    assert moments[0] <= NOW - timedelta(hours=hours) < moments[1]
    assert moments[-1] <= NOW < found.until == moments[-1] + found.width


@pytest.mark.parametrize("width_s", WIDTHS_S)
def test_every_width_is_a_multiple_of_a_rollups_and_aligned(width_s):
    found = window(200, width_s, now=NOW)

    assert width_s % found.base_s == 0
    assert all(at.timestamp() % width_s == 0 for at in found.moments())


@pytest.mark.parametrize(("hours", "width_s"), [(0, None), (-1, None), (9_000, None), (24, 61)])
def test_what_makes_no_window_is_refused(hours, width_s):
    with pytest.raises(BadInput):
        window(hours, width_s, now=NOW)
