"""What is usual of a job, told robustly: a few wild runs among many do not move a median."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Self

from callboard.core.histogram import bounds, percentile

#: Median distances from the median in a standard deviation, where values are normal.
SCALE = 0.6745
#: The least distance that counts as usual, in logarithms: runs that all took the same to the millisecond
#: do not make the next one strange.
FLOOR = 0.05
#: The same for values that are known by their histogram's bucket: half the width of one.
BUCKET_FLOOR = log(2) / 8
#: Of few values the distance is uncertain itself: that of n is widened by this many n-ths.
CAUTION = 4


@dataclass(frozen=True, slots=True)
class Baseline:
    """The median of the logarithms of `count` values, and about their median distance from it."""

    count: int
    middle: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """What those values say; values below 1 count as 1. None where there are none."""
        if not values:
            return None
        logs = sorted([log(value) if value > 1 else 0.0 for value in values])
        middle = _middle(logs)
        distance = _middle(sorted([abs(each - middle) for each in logs])) * (1 + CAUTION / len(logs))
        return cls(len(logs), middle, max(FLOOR, distance))

    @classmethod
    def of_histogram(cls, counts: Sequence[int]) -> Self | None:
        """What the durations in a histogram (see `core.histogram`) say; None where it is empty."""
        weighed = [(_middle_of(index), count) for index, count in enumerate(counts) if count]
        if not weighed:
            return None
        middle = _median(weighed)
        spread = _median((abs(each - middle), count) for each, count in weighed)
        return cls(sum(count for _, count in weighed), middle, max(BUCKET_FLOOR, spread))

    @property
    def median(self) -> float:
        """The usual value."""
        return exp(self.middle)

    def z(self, value: float) -> float:
        """How far a value is from the usual one, in standard deviations of the logarithm."""
        return SCALE * (log(max(1.0, value)) - self.middle) / self.spread


@dataclass(frozen=True, slots=True)
class Usual:
    """Percentiles (ms) of the durations of a job's last `runs` runs."""

    runs: int
    p1_ms: float
    p95_ms: float
    p99_ms: float

    @classmethod
    def of(cls, counts: Sequence[int]) -> Self | None:
        """The percentiles of a histogram; None where it is empty."""
        p1, p95, p99 = (percentile(counts, q) for q in (0.01, 0.95, 0.99))
        if p1 is None or p95 is None or p99 is None:
            return None
        return cls(sum(counts), p1, p95, p99)


def _middle(ascending: Sequence[float]) -> float:
    return (ascending[(len(ascending) - 1) // 2] + ascending[len(ascending) // 2]) / 2


def _middle_of(index: int) -> float:
    low, high = bounds(index)
    return log(max(1.0, low)) if high == inf else (log(max(1.0, low)) + log(high)) / 2


def _median(weighed: Iterable[tuple[float, int]]) -> float:
    ordered = sorted(weighed)
    half = sum(count for _, count in ordered) / 2
    below = 0
    for value, count in ordered:
        below += count
        if below >= half:
            return value
    raise ValueError("There is no median of nothing.")
