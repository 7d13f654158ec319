"""Spans of time in buckets: how wide they are, and where they begin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from callboard.core.clock import utcnow
from callboard.core.errors import BadInput

#: The widths (s) of buckets. When none is asked for, it is the narrowest that makes at most `MOST_BUCKETS`.
WIDTHS_S = (60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800)
MOST_BUCKETS = 100
#: The widths (s) that rollups are kept in.
ROLLUPS_S = (86_400, 3_600, 60)
MAX_HOURS = 366 * 24


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` up to `until` in buckets of `width_s`, aligned to the Unix epoch in UTC."""

    start: datetime
    until: datetime
    width_s: int

    @property
    def width(self) -> timedelta:
        return timedelta(seconds=self.width_s)

    @property
    def base_s(self) -> int:
        """The width (s) of the widest rollups that its buckets are made of."""
        return next(base for base in ROLLUPS_S if self.width_s % base == 0)

    def moments(self) -> Iterator[datetime]:
        """The beginning of each bucket, oldest first."""
        for index in range(round((self.until - self.start) / self.width)):
            yield self.start + self.width * index


def window(hours: float, width_s: int | None = None, *, now: datetime | None = None) -> Window:
    """The last hours in buckets; the last bucket is not over yet.

    Raises:
        BadInput: the hours are not more than 0 and at most 366 days, or the width is none of `WIDTHS_S`.
    """
    if not 0 < hours <= MAX_HOURS:
        raise BadInput(f"The hours must be more than 0 and at most {MAX_HOURS}, not {hours:g}.")
    if width_s is None:
        width_s = next((each for each in WIDTHS_S if hours * 3600 / each <= MOST_BUCKETS), WIDTHS_S[-1])
    if width_s not in WIDTHS_S:
        raise BadInput(f"The width must be one of {', '.join(map(str, WIDTHS_S))} seconds, not {width_s}.")
    at = now or utcnow()
    end = floor(at, width_s) + timedelta(seconds=width_s)
    return Window(start=floor(at - timedelta(hours=hours), width_s), until=end, width_s=width_s)


def floor(at: datetime, width_s: int) -> datetime:
    """The beginning of the bucket that a moment falls into."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width_s, UTC)
