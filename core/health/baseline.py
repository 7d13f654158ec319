"""What is usual for a bucket of time: what the same weekday and hour held in the weeks before.

The median over those weeks, so that one odd week moves nothing; None where fewer than `KNOWN` are known.
What holds a queue up just now is told from what the hours before were like, likewise by a median.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from callboard.core.health.score import ENOUGH
from callboard.core.health.trends import Cell, Usual, point
from callboard.core.histogram import merge, percentile

#: The weeks that are looked back on, and how many of them must be known.
WEEKS = 6
KNOWN = 3


def usual(past: Sequence[Cell], share: float = 1.0) -> Usual:
    """What is usual, of the buckets of the weeks that are known; a bucket without runs is one of them.

    `share` is how much of each such bucket the one in question covers.
    """
    points = [point(cell) for cell in past]
    finished = typical(each.finished for each in points)
    return Usual(
        None if finished is None else finished * share,
        typical(each.failure_rate for each in points),
        typical(each.wait_p95_ms for each in points),
        typical(each.duration_p95_ms for each in points),
    )


def typical(values: Iterable[float | None]) -> float | None:
    """The median of what is known; None of fewer than `KNOWN`."""
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= KNOWN else None


def usual_p95(hours: Sequence[Sequence[int]]) -> float | None:
    """What 95 % of a job's runs usually do not exceed (ms), by the histograms of hours, in their order.

    The median over the hours, so that some bad ones move nothing. Hours with fewer than `ENOUGH` runs are
    taken together with those after them; None where all together are fewer.
    """
    groups: list[list[int]] = []
    open_group: list[int] = []
    for hour in hours:
        open_group = merge(open_group, hour)
        if sum(open_group) >= ENOUGH:
            groups.append(open_group)
            open_group = []
    if groups and open_group:
        groups[-1] = merge(groups[-1], open_group)
    found = [percentile(group, 0.95) for group in groups]
    return median(each for each in found if each is not None) if found else None
