"""Spans, rates and distances in a terminal."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.cli.words import distance, rate, span

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (185_000, "3 min 05 s"),
        (3_600_000, "1 h 00 min"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_a_span_is_shown_in_the_two_units_that_matter(ms: float | None, shown: str) -> None:
    assert span(ms) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "now"), (0.9, "now"), (5, "in 5 s"), (-61, "1 min ago"), (7_200, "in 2 h"), (-200_000, "2 d ago")],
)
def test_a_distance_says_which_way(seconds: float, shown: str) -> None:
    assert distance(NOW + timedelta(seconds=seconds), NOW) == shown


@pytest.mark.parametrize(
    ("per_cent", "shown"), [(None, "-"), (100, "100%"), (99.999, "99.9%"), (95, "95%"), (66.667, "66.7%")]
)
def test_a_rate_is_never_rounded_up_to_a_hundred(per_cent: float | None, shown: str) -> None:
    assert rate(per_cent) == shown
