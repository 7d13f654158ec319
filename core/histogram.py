"""Histograms of durations in milliseconds that can be added up, so that percentiles survive a rollup.

Four buckets an octave: a percentile read from one is within 19 % (2 to the power 1/4) of the exact one.
Bucket 0 holds what is under 1 ms, the last one what is over seven days. The bounds are rounded to a
thousandth: as decimal literals they are the same numbers in SQL, and `width_bucket(ms, EDGES)` is `bucket`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from math import inf

#: Bounds between buckets, ascending; bucket i holds EDGES[i - 1] <= ms < EDGES[i].
EDGES: tuple[float, ...] = tuple(round(2 ** (i / 4), 3) for i in range(118))
#: The number of buckets in every histogram.
BUCKETS = len(EDGES) + 1


def bucket(ms: float) -> int:
    """The index of the bucket for that many milliseconds; what is negative or no number counts as 0."""
    return bisect_right(EDGES, ms) if ms >= 1 else 0


def bounds(index: int) -> tuple[float, float]:
    """From (included) and to (excluded), in ms, of a bucket; the last one ends at infinity.

    Raises:
        IndexError: there is no such bucket.
    """
    if not 0 <= index < BUCKETS:
        raise IndexError(f"There is no bucket {index}; they are 0 to {BUCKETS - 1}.")
    return (EDGES[index - 1] if index else 0.0, EDGES[index] if index < len(EDGES) else inf)


def histogram(durations_ms: Iterable[float]) -> list[int]:
    """The histogram of those durations: `BUCKETS` counts."""
    counts = [0] * BUCKETS
    for ms in durations_ms:
        counts[bucket(ms)] += 1
    return counts


def merge(*histograms: Sequence[int]) -> list[int]:
    """Their sum, bucket by bucket; a shorter one is filled up with zeros.

    Raises:
        ValueError: one has more than `BUCKETS` counts.
    """
    longest = max(map(len, histograms), default=0)
    if longest > BUCKETS:
        raise ValueError(f"A histogram has {BUCKETS} buckets, not {longest}.")
    total = [sum(counts) for counts in zip_longest(*histograms, fillvalue=0)]
    return total + [0] * (BUCKETS - longest)


def percentile(counts: Sequence[int], q: float) -> float | None:
    """The duration in ms that a share `q` (0 to 1) of the runs did not exceed; None if nothing was counted.

    It lies in the bucket of the exact value, interpolated by rank; in the open last bucket it is the bound.

    Raises:
        ValueError: `q` is outside 0 to 1.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"A percentile is asked for as a share between 0 and 1, not {q}.")
    rank = q * sum(counts)
    below = 0
    for index, count in enumerate(counts):
        if count and below + count >= rank:
            low, high = bounds(index)
            return low if high == inf else low + (high - low) * (rank - below) / count
        below += count
    return None
