"""Since when something has been amiss, by the minutes up to now."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from callboard.core.health.facts import Minute

#: Runs that a stretch of minutes must hold before it tells anything.
FEW = 5


def since_when(
    minutes: Sequence[Minute], amiss: Callable[[Sequence[Minute]], bool], few: int = FEW
) -> datetime | None:
    """The first minute of the last time in which something was amiss without a break.

    Minutes are looked at from the last one on backwards; those with fewer than `few` finished runs together
    with those before them. None where it is not amiss now, or where too little ran to tell.
    """
    ordered = sorted(minutes, key=lambda each: each.at)
    found, stretch = None, []
    for at, rows in reversed([(at, list(rows)) for at, rows in groupby(ordered, key=lambda each: each.at)]):
        stretch += rows
        if sum(each.finished for each in stretch) < few:
            continue
        if not amiss(stretch):
            break
        found, stretch = at, []
    return found
