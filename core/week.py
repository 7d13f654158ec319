"""The minutes of a span of time in which a schedule falls due, as the bits of a number.

A week is a number of 10,080 bits: what two schedules have in common, when a job is busy, or how many want to
run at once is then a few operations on whole numbers, however often they fall due.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from callboard.core.cron import Cron
from callboard.core.cron_calendar import calendar
from callboard.core.zones import zone

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
#: Minutes in the parts that a change of the clock is looked for in; no clock is put back by more.
PART = 6 * 60


@lru_cache(maxsize=4096)
def minutes_of(schedule: Cron, start: datetime, minutes: int = WEEK_MINUTES) -> int:
    """Bit m is set where a slot lies within the m-th minute after `start`, an aware whole minute."""
    found = 0
    for place, length, offset in _parts(schedule.tz, start, minutes):
        at = start + place * MINUTE
        part = _one_by_one(schedule, at, length) if offset is None else _by_days(schedule, at, length, offset)
        found |= part << place
    return found


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day as the clock of a zone shows it: the minutes from `begin` up to `end` of a span.

    Where the clock is put back, an hour of a day comes twice.
    """

    day: date
    hour: int
    begin: int
    end: int


@lru_cache(maxsize=256)
def hours_of(tz: str, start: datetime, minutes: int = WEEK_MINUTES) -> tuple[Hour, ...]:
    """The hours of a span in a zone, ascending; the first and the last may be cut."""
    found: list[Hour] = []
    place = 0
    while place < minutes:
        local = (start + place * MINUTE).astimezone(zone(tz))
        end = min(minutes, place + 60 - local.minute)
        found.append(Hour(local.date(), local.hour, place, end))
        place = end
    return tuple(found)


def places(mask: int) -> Iterator[int]:
    """The bits that are set, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def span_of(length: int) -> int:
    """The first `length` bits."""
    return (1 << length) - 1


@lru_cache(maxsize=256)
def _parts(tz: str, start: datetime, minutes: int) -> tuple[tuple[int, int, timedelta | None], ...]:
    """The span in parts: where each begins, how long it is, and the zone's offset all through it.

    The offset is None around a change of the zone's clock, the hours included in which it shows times again.
    """
    found: list[tuple[int, int, timedelta | None]] = []
    for place in range(0, minutes, PART):
        length = min(PART, minutes - place)
        ends = [place - PART, place, place + length]
        offsets = {(start + at * MINUTE).astimezone(zone(tz)).utcoffset() for at in ends}
        offset = offsets.pop() if len(offsets) == 1 else None
        if offset is not None and offset % MINUTE:
            offset = None
        if found and found[-1][2] == offset:
            place, length = found[-1][0], found.pop()[1] + length
        found.append((place, length, offset))
    return tuple(found)


def _one_by_one(schedule: Cron, start: datetime, minutes: int) -> int:
    found = 0
    moment = timedelta(microseconds=1)
    for slot in schedule.between(start - moment, start + minutes * MINUTE - moment):
        found |= 1 << (slot - start) // MINUTE
    return found


def _by_days(schedule: Cron, start: datetime, minutes: int, offset: timedelta) -> int:
    when = calendar(schedule.expr)
    hour = sum(1 << minute for minute in when.minutes)
    day = sum(hour << 60 * each for each in when.hours)
    local = (start + offset).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0)
    found = 0
    for number in range(minutes // DAY_MINUTES + 2):
        at = midnight + DAY * number
        if at.month in when.months and at.day in when.days(at.year, at.month):
            ahead = (at - local) // MINUTE
            found |= day << ahead if ahead >= 0 else day >> -ahead
    return found & span_of(minutes)


def minute_after(start: datetime, number: int) -> datetime:
    """The moment at which the n-th minute begins, in UTC."""
    return (start + number * MINUTE).astimezone(UTC)
