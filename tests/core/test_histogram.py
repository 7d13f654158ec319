"""Histograms: they add up like what they count, and tell percentiles to within their buckets."""

from itertools import pairwise
from math import ceil, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.histogram import BUCKETS, EDGES, bounds, bucket, histogram, merge, percentile

WEEK_MS = 7 * 24 * 3_600_000
DURATIONS = st.lists(st.integers(0, 2 * WEEK_MS) | st.floats(0, 10_000), max_size=60)
SHARES = st.floats(0, 1)
#: Two neighbouring edges, rounded to thousandths, are no further apart than this.
WIDEST = 1.19


@given(st.floats(0, 1e12))
def test_a_duration_lies_within_the_bounds_of_its_bucket(ms: float) -> None:
    low, high = bounds(bucket(ms))

    assert low <= ms < high


def test_the_edges_are_a_quarter_of_an_octave_apart_from_one_millisecond_to_more_than_a_week() -> None:
    assert BUCKETS == len(EDGES) + 1 == 119
    assert EDGES[0] == 1
    assert EDGES[-1] > WEEK_MS
    assert all(1.188 < later / earlier < WIDEST for earlier, later in pairwise(EDGES))
    assert all(EDGES[4 * octave] == 2**octave for octave in range(30))
    # Written out in SQL they must be the same numbers.
    assert all(float(f"{edge:.3f}") == edge for edge in EDGES)


def test_buckets_lie_side_by_side() -> None:
    assert bounds(0) == (0, 1)
    assert bounds(BUCKETS - 1) == (EDGES[-1], inf)
    assert all(bounds(i)[1] == bounds(i + 1)[0] for i in range(BUCKETS - 1))
    for index in (-1, BUCKETS):
        with pytest.raises(IndexError, match=f"There is no bucket {index}"):
            bounds(index)


def test_what_is_no_duration_counts_as_none() -> None:
    assert [bucket(ms) for ms in (-5, -inf, nan, 0, 0.999)] == [0] * 5
    assert bucket(1) == 1
    assert bucket(inf) == BUCKETS - 1


@given(DURATIONS, DURATIONS, DURATIONS)
def test_the_sum_of_histograms_is_the_histogram_of_all(
    one: list[float], other: list[float], third: list[float]
) -> None:
    a, b, c = histogram(one), histogram(other), histogram(third)

    assert merge(a, b, c) == histogram(one + other + third)
    assert merge(merge(a, b), c) == merge(a, merge(c, b))
    assert merge(a) == a
    assert merge(a, []) == a


def test_histograms_of_any_length_add_up_to_one_of_full_length() -> None:
    assert merge() == [0] * BUCKETS
    assert merge([1, 2], [0, 3, 4]) == [1, 5, 4] + [0] * (BUCKETS - 3)
    with pytest.raises(ValueError, match="has 119 buckets, not 120"):
        merge([0] * (BUCKETS + 1))


def test_adding_up_leaves_the_parts_alone() -> None:
    part = [1] * BUCKETS

    merge(part, part)

    assert part == [1] * BUCKETS


@given(st.lists(st.floats(1, WEEK_MS), min_size=1, max_size=80), SHARES)
def test_a_percentile_is_within_19_percent_of_the_exact_one(durations: list[float], q: float) -> None:
    exact = sorted(durations)[max(ceil(q * len(durations)), 1) - 1]

    estimate = percentile(histogram(durations), q)

    assert estimate is not None
    assert exact / WIDEST <= estimate <= exact * WIDEST
    low, high = bounds(bucket(exact))
    assert low <= estimate <= high


@given(DURATIONS.filter(bool), SHARES, SHARES)
def test_a_higher_share_is_reached_no_sooner(durations: list[float], one: float, other: float) -> None:
    counts = histogram(durations)
    lower, higher = percentile(counts, min(one, other)), percentile(counts, max(one, other))

    assert lower is not None
    assert higher is not None
    assert lower <= higher


@given(DURATIONS.filter(bool), st.integers(2, 50), SHARES)
def test_a_percentile_depends_on_shares_alone(durations: list[float], times: int, q: float) -> None:
    counts = histogram(durations)

    assert percentile(merge(*[counts] * times), q) == pytest.approx(percentile(counts, q))


def test_percentiles_of_nothing_and_of_what_is_beyond_measure() -> None:
    assert percentile([], 0.5) is None
    assert percentile([0] * BUCKETS, 0.5) is None
    assert percentile(histogram([10**12]), 0.5) == EDGES[-1]
    assert percentile([4], 0.5) == 0.5


@pytest.mark.parametrize("q", [-0.1, 1.1, 95, nan])
def test_a_percentile_is_asked_for_as_a_share(q: float) -> None:
    with pytest.raises(ValueError, match="as a share between 0 and 1"):
        percentile([1], q)
