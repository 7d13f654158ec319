"""Wall-clock arithmetic of a cron expression: the next and the previous matching reading of a clock.

Nothing here knows of time zones; times are naive and whole seconds. Whether a day matches follows from the
length of its month and the weekday which that month begins with. There are 28 combinations of these, and the
matching days of each are worked out once.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from functools import lru_cache

from callboard.core.cron_fields import read
from callboard.core.errors import BadSchedule

SECOND = timedelta(seconds=1)

#: For each (length, first weekday) of a month, one month that has them; filled below.
_SAMPLES: dict[tuple[int, int], tuple[int, int]] = {}
for _year in range(2000, 2040):
    for _month in range(1, 13):
        _first, _length = monthrange(_year, _month)
        _SAMPLES.setdefault((_length, _first), (_year, _month))

#: The lengths that each month can have.
_LENGTHS = {month: {monthrange(year, month)[1] for year in (2000, 2001)} for month in range(1, 13)}


class Calendar:
    """The readings of a clock that match one expression."""

    def __init__(self, text: str) -> None:
        expression = read(text)
        sim = expression.sim
        self.text = expression.text
        self.fields = expression.fields
        self.seconds = sorted(sim.seconds)
        self.minutes = sorted(sim.minutes)
        self.hours = sorted(sim.hours)
        self.months = sorted(sim.months)
        #: Days of the month, or `CronSim.LAST` and `CronSim.LAST_WEEKDAY`.
        self.month_days = frozenset(sim.days)
        #: Days of the week (0 and 7 are Sunday), or pairs of one and its place in the month (`CronSim.LAST`).
        self.weekdays = frozenset(sim.weekdays)
        #: Whether a day must match both of these, not either.
        self.both_days = sim.day_and
        #: Whether every hour of the day runs, and whether every minute or every n-th from 0 on.
        self.every_hour = len(self.hours) == 24
        self.every_minute = len(self.minutes) == 60 or (
            self.fields[1].startswith("*") and len(self.minutes) > 1
        )
        self._sim = sim
        self._days: dict[tuple[int, int], list[int]] = {}
        self._first = (self.hours[0], self.minutes[0], self.seconds[0])
        self._last = (self.hours[-1], self.minutes[-1], self.seconds[-1])
        if not any(self._matching(length, first) for length, first in _SAMPLES if self._has_length(length)):
            raise BadSchedule(
                f"The schedule '{self.text}' can never fire: no such day of month and week exists."
            )

    def next(self, after: datetime) -> datetime | None:
        """The first match later than the naive `after`, or None within the years that datetime knows."""
        try:
            start = after.replace(microsecond=0) + SECOND
        except OverflowError:
            return None
        year, month, day = start.year, start.month, start.day
        if month in self.months:
            days = self.days(year, month)
            place = bisect_left(days, day)
            if place < len(days) and days[place] == day:
                time = self._time_from(start.hour, start.minute, start.second)
                if time is not None:
                    return datetime(year, month, day, *time)  # noqa: DTZ001
                place += 1
            if place < len(days):
                return datetime(year, month, days[place], *self._first)  # noqa: DTZ001
        place = bisect_right(self.months, month)
        while year <= MAXYEAR:
            for month in self.months[place:]:
                days = self.days(year, month)
                if days:
                    return datetime(year, month, days[0], *self._first)  # noqa: DTZ001
            year, place = year + 1, 0
        return None

    def previous(self, before: datetime) -> datetime | None:
        """The last match earlier than the naive `before`, or None within the years that datetime knows."""
        start = before.replace(microsecond=0)
        if start == before:
            try:
                start -= SECOND
            except OverflowError:
                return None
        year, month, day = start.year, start.month, start.day
        if month in self.months:
            days = self.days(year, month)
            place = bisect_right(days, day) - 1
            if place >= 0 and days[place] == day:
                time = self._time_to(start.hour, start.minute, start.second)
                if time is not None:
                    return datetime(year, month, day, *time)  # noqa: DTZ001
                place -= 1
            if place >= 0:
                return datetime(year, month, days[place], *self._last)  # noqa: DTZ001
        place = bisect_left(self.months, month)
        while year >= MINYEAR:
            for month in reversed(self.months[:place]):
                days = self.days(year, month)
                if days:
                    return datetime(year, month, days[-1], *self._last)  # noqa: DTZ001
            year, place = year - 1, 12
        return None

    def days(self, year: int, month: int) -> list[int]:
        """The matching days of that month, ascending, whether or not the month itself matches."""
        first, length = monthrange(year, month)
        days = self._days.get((length, first))
        return self._matching(length, first) if days is None else days

    def _matching(self, length: int, first: int) -> list[int]:
        year, month = _SAMPLES[length, first]
        days = [day for day in range(1, length + 1) if self._sim.match_day(date(year, month, day))]
        self._days[length, first] = days
        return days

    def _has_length(self, length: int) -> bool:
        return any(length in _LENGTHS[month] for month in self.months)

    def _time_from(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        place = bisect_left(self.hours, hour)
        if place == len(self.hours):
            return None
        if self.hours[place] > hour:
            return (self.hours[place], *self._first[1:])
        at = bisect_left(self.minutes, minute)
        if at < len(self.minutes):
            if self.minutes[at] > minute:
                return (hour, self.minutes[at], self._first[2])
            on = bisect_left(self.seconds, second)
            if on < len(self.seconds):
                return (hour, minute, self.seconds[on])
            at += 1
            if at < len(self.minutes):
                return (hour, self.minutes[at], self._first[2])
        place += 1
        return (self.hours[place], *self._first[1:]) if place < len(self.hours) else None

    def _time_to(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        place = bisect_right(self.hours, hour) - 1
        if place < 0:
            return None
        if self.hours[place] < hour:
            return (self.hours[place], *self._last[1:])
        at = bisect_right(self.minutes, minute) - 1
        if at >= 0:
            if self.minutes[at] < minute:
                return (hour, self.minutes[at], self._last[2])
            on = bisect_right(self.seconds, second) - 1
            if on >= 0:
                return (hour, minute, self.seconds[on])
            at -= 1
            if at >= 0:
                return (hour, self.minutes[at], self._last[2])
        place -= 1
        return (self.hours[place], *self._last[1:]) if place >= 0 else None


@lru_cache(maxsize=4096)
def calendar(text: str) -> Calendar:
    """The calendar of an expression, read once.

    Raises:
        BadSchedule: one sentence that names the field and what is wrong with it.
    """
    return Calendar(text)
