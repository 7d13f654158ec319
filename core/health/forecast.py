"""Where a backlog is going, by the pace of its last samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median

from callboard.core.display import many, span

#: Samples, and seconds between the first and the last of them, below which there is no pace to tell.
FEWEST = 6
SHORTEST_S = 50.0
#: Seconds beyond which nothing is foretold.
FARTHEST_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`depth` runs wait at the moment `at`, and `slope` more each second.

    `drains_s` is in how many seconds none waits any more, `crosses_s` in how many more than `limit` do; None
    where that does not come, or not within a day. `past_s` is how far back the pace was taken from.
    """

    at: datetime
    depth: int
    slope: float
    limit: int
    past_s: float
    drains_s: float | None = None
    crosses_s: float | None = None

    def depth_in(self, seconds: float) -> float:
        """The depth after so many seconds at this pace."""
        return max(0.0, self.depth + self.slope * seconds)

    def __str__(self) -> str:
        """A sentence."""
        pace = f"At the pace of the last {_about(self.past_s)}"
        if self.drains_s == 0:
            return "Nothing waits."
        if self.drains_s is not None:
            return f"{pace}, nothing waits in {_about(self.drains_s)}."
        waits = f"{many(self.depth, 'run')} {'waits' if self.depth == 1 else 'wait'}"
        if self.slope <= 0:
            return f"{waits}, and that hardly changes."
        grows = f"{pace}, the backlog grows by {_rate(self.slope)}"
        if self.depth > self.limit:
            return f"{grows}; it is above its limit of {self.limit:,} already."
        if self.crosses_s is None:
            return f"{grows}; it stays below its limit of {self.limit:,} for a day."
        return f"{grows} and is above its limit of {self.limit:,} in {_about(self.crosses_s)}."


def forecast(samples: Sequence[tuple[datetime, int]], limit: int) -> Forecast | None:
    """Where the depth is going, of samples of it in the order of time; None where they are too few to tell.

    The pace is the median of those between any two samples, so that a single odd one does not matter.
    """
    if len(samples) < FEWEST:
        return None
    past_s = (samples[-1][0] - samples[0][0]).total_seconds()
    if past_s < SHORTEST_S:
        return None
    at, depth = samples[-1]
    slope = median(
        (later - sooner) / (end - start).total_seconds()
        for (start, sooner), (end, later) in combinations(samples, 2)
    )
    # Less than one run in all that time is no pace.
    if abs(slope) * past_s < 1:
        slope = 0.0
    drains = 0.0 if not depth else _within(-depth / slope) if slope < 0 else None
    crosses = _within((limit - depth) / slope) if slope > 0 and depth <= limit else None
    if not depth and slope > 0:
        drains = None
    return Forecast(at, depth, slope, limit, past_s, drains, crosses)


def line(found: Forecast, until: timedelta) -> list[tuple[datetime, float]]:
    """Moments and depths of the forecast: from now to the end, or to where nothing waits any more, and on."""
    end = min(until.total_seconds(), FARTHEST_S)
    seconds = [0.0, end]
    if found.drains_s is not None and 0 < found.drains_s < end:
        seconds.insert(1, found.drains_s)
    return [(found.at + timedelta(seconds=each), found.depth_in(each)) for each in seconds]


def _within(seconds: float) -> float | None:
    return seconds if seconds <= FARTHEST_S else None


def _about(seconds: float) -> str:
    """A span that does not say more than is known: whole minutes from two on."""
    return span(round(seconds / 60) * 60_000).replace(" 00 s", "") if seconds >= 120 else span(seconds * 1000)


def _rate(slope: float) -> str:
    return f"{slope:.3g} a second" if slope >= 1 else f"{slope * 60:.3g} a minute"
