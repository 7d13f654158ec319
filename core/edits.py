"""What putting one schedule in the place of another changes: which of the coming slots go, come and stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from callboard.core.clock import as_utc
from callboard.core.cron import Cron

#: How far ahead the two are compared, and the most slots of either that are looked at.
AHEAD = timedelta(days=7)
MOST = 10_000

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Edit:
    """The slots after `start` up to and including `until`, ascending: `gone` only the old schedule has,
    `new` only the new one, and `kept` both have. The rates are of runs in 24 hours over that span.
    """

    start: datetime
    until: datetime
    gone: tuple[datetime, ...]
    new: tuple[datetime, ...]
    kept: tuple[datetime, ...]
    per_day_before: float
    per_day_after: float


def compare(
    before: Sequence[Cron], after: Sequence[Cron], start: datetime, *, ahead: timedelta = AHEAD
) -> Edit:
    """What becomes of the slots of the schedules `before` when those of `after` hold instead.

    Schedules of one side count as one: a moment that two of them name is one slot. Where either side has
    more than `MOST` slots in the time ahead, the span ends earlier: with the last that was looked at.
    """
    start = as_utc(start)
    until = start + ahead
    olds, news = _slots(before, start, until), _slots(after, start, until)
    until = min([until, *(max(some) for some in (olds, news) if len(some) > MOST)])
    old = {slot for slot in olds if slot <= until}
    new = {slot for slot in news if slot <= until}
    days = (until - start) / _DAY
    return Edit(
        start=start,
        until=until,
        gone=tuple(sorted(old - new)),
        new=tuple(sorted(new - old)),
        kept=tuple(sorted(old & new)),
        per_day_before=len(old) / days,
        per_day_after=len(new) / days,
    )


def _slots(schedules: Sequence[Cron], start: datetime, until: datetime) -> set[datetime]:
    """The slots of all; where there are more than `MOST`, all those up to some moment, and no later ones."""
    found: set[datetime] = set()
    for schedule in schedules:
        some = list(islice(schedule.between(start, until), MOST + 1))
        if len(some) > MOST:
            until = some[-1]
        found.update(some)
    return {slot for slot in found if slot <= until}
