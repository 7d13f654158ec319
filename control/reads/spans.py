"""Spans of time that a trend is told of, in buckets, and the weeks before that say what is usual."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from callboard.control.reads.windows import floor
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput
from callboard.core.health.baseline import WEEKS

Span = Literal["hour", "day", "week", "90days"]
WEEK = timedelta(days=7)

#: How many buckets a span has, and how wide they are (s).
_BUCKETS: dict[Span, tuple[int, int]] = {
    "hour": (60, 60),
    "day": (24, 3_600),
    "week": (28, 21_600),
    "90days": (90, 86_400),
}
#: How wide (s) the buckets are that samples are shown in.
SAMPLED_S: dict[Span, int] = {"hour": 60, "day": 600, "week": 3_600, "90days": 21_600}


@dataclass(frozen=True, slots=True)
class Grid:
    """From `start` up to `until` in `count` buckets of `width_s`; the last one is not over yet."""

    span: Span
    start: datetime
    until: datetime
    count: int
    width_s: int

    @property
    def width(self) -> timedelta:
        return timedelta(seconds=self.width_s)

    @property
    def base_s(self) -> int:
        """The width (s) of the rollups that the buckets are made of."""
        return {21_600: 3_600}.get(self.width_s, self.width_s)

    @property
    def usual_s(self) -> int:
        """The width (s) of the buckets that what is usual is told by: never under an hour."""
        return max(3_600, self.width_s)

    @property
    def usual_base_s(self) -> int:
        """The width (s) of the rollups that those are made of."""
        return max(3_600, self.base_s)

    @property
    def before(self) -> datetime:
        """The beginning of the time of the same length before it."""
        return self.start - self.count * self.width

    def moments(self, start: datetime | None = None) -> Iterator[datetime]:
        """The beginning of each bucket, the oldest first; from another start on if there is one."""
        at = start or self.start
        while at < self.until:
            yield at
            at += self.width

    def rollups(self) -> list[datetime]:
        """The beginning of each rollup that the buckets are made of."""
        step = timedelta(seconds=self.base_s)
        return [self.start + step * number for number in range(self.count * self.width_s // self.base_s)]

    def cells(self) -> dict[datetime, float]:
        """The buckets that what is usual is told by, and how much (0 to 1) of each the span covers."""
        found: dict[datetime, float] = {}
        for at in self.moments():
            cell = floor(at, self.usual_s)
            found[cell] = found.get(cell, 0.0) + self.width_s / self.usual_s
        return found

    def bases(self, cells: Iterable[datetime]) -> list[datetime]:
        """The rollups that such buckets are made of."""
        step, number = timedelta(seconds=self.usual_base_s), self.usual_s // self.usual_base_s
        return [cell + step * each for cell in cells for each in range(number)]

    def past(self, cell: datetime, began: datetime) -> list[datetime]:
        """The same bucket in each of the weeks before, as far back as something is known."""
        weeks = (cell - WEEK * number for number in range(1, WEEKS + 1))
        return [at for at in weeks if at >= floor(began, self.usual_base_s)]


def grid(span: Span) -> Grid:
    """The last hour, day, week or 90 days.

    Raises:
        BadInput: it is none of these.
    """
    if span not in _BUCKETS:
        raise BadInput(f"The window is one of {', '.join(get_args(Span))}, not {str(span)[:50]!r}.")
    count, width_s = _BUCKETS[span]
    until = floor(utcnow(), width_s) + timedelta(seconds=width_s)
    return Grid(span, until - timedelta(seconds=count * width_s), until, count, width_s)
