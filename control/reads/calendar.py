"""The coming days, hour by hour: how many slots fall due, and of which schedules."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from callboard.control.reads.jobs import cron_of
from callboard.control.reads.schedules import Schedule
from callboard.core.cron_calendar import calendar
from callboard.core.errors import BadSchedule
from callboard.core.week import Hour, hours_of, minute_after, minutes_of, places, span_of

#: So many days are shown, today counted as one of them.
DAYS = 7


@dataclass(frozen=True, slots=True)
class Fires:
    """A schedule on a day: how often it falls due, for the first and the last time."""

    schedule: Schedule
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day in some zone: how many slots fall due in each of its 24 hours, and of which schedules.

    Of an hour that is over, or that the clock skips, it is None.
    """

    day: date
    hours: tuple[int | None, ...]
    fires: tuple[Fires, ...]

    @property
    def count(self) -> int:
        """How many slots fall due on it."""
        return sum(filter(None, self.hours))


def coming_days(schedules: Sequence[Schedule], tz: str, now: datetime) -> tuple[Day, ...]:
    """The rest of today and the days after it, as the clock of a zone shows them; only what is on counts."""
    start = now.replace(second=0, microsecond=0)
    by_day: dict[date, list[Hour]] = defaultdict(list)
    for hour in hours_of(tz, start):
        by_day[hour.day].append(hour)
    planned = [(each, *_minutes(each, start)) for each in schedules if each.runs]
    return tuple(_day(day, hours, planned, start) for day, hours in list(by_day.items())[:DAYS])


def _minutes(schedule: Schedule, start: datetime) -> tuple[int, int]:
    """The minutes in which it falls due, and how often in each."""
    try:
        return minutes_of(cron_of(schedule.expr, schedule.tz), start), len(calendar(schedule.expr).seconds)
    except BadSchedule:
        return 0, 1


def _day(
    day: date, hours: Sequence[Hour], planned: Sequence[tuple[Schedule, int, int]], start: datetime
) -> Day:
    counts: dict[int, int] = dict.fromkeys((hour.hour for hour in hours), 0)
    fires = []
    for schedule, minutes, times in planned:
        today = minutes >> hours[0].begin & span_of(hours[-1].end - hours[0].begin)
        if not today:
            continue
        for hour in hours:
            counts[hour.hour] += times * (minutes >> hour.begin & span_of(hour.end - hour.begin)).bit_count()
        first, last = next(places(today)), today.bit_length() - 1
        fires.append(
            Fires(
                schedule,
                times * today.bit_count(),
                minute_after(start, hours[0].begin + first),
                minute_after(start, hours[0].begin + last),
            )
        )
    return Day(
        day,
        tuple(map(counts.get, range(24))),
        tuple(sorted(fires, key=lambda each: (each.first, each.schedule.name))),
    )
