"""Where and how the clocks of the world change, found by looking, and what then runs by definition."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
#: Two changes of a zone lie further apart than this: the shortest summer or winter is Ramadan.
STRIDE = timedelta(days=7)


class ZoneChange(NamedTuple):
    """A zone's clock jumps at `at` (UTC) by `shift`, from the reading `shown`."""

    zone: str
    at: datetime
    shift: timedelta
    shown: datetime


def _offset(tz: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(tz).utcoffset()
    assert offset is not None
    return offset


@cache
def changes(zone: str, first_year: int = 2000, last_year: int = 2040) -> tuple[ZoneChange, ...]:
    """The changes of a zone's offset within those years."""
    tz = ZoneInfo(zone)
    found = []
    low, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    while low < end:
        high = low + STRIDE
        before, after = _offset(tz, low), _offset(tz, high)
        if before != after:
            early, late = low, high
            while late - early > MINUTE:
                middle = early + (late - early) / 2
                middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
                early, late = (middle, late) if _offset(tz, middle) == before else (early, middle)
            found.append(ZoneChange(zone, late, after - before, (late + before).replace(tzinfo=None)))
        low = high
    return tuple(found)


def zones() -> list[str]:
    """All zones of the world, one name for each that is known by several."""
    seen: dict[tuple[object, ...], str] = {}
    for name in sorted(available_timezones() - {"localtime", "Factory"}):
        tz = ZoneInfo(name)
        key = tuple(
            _offset(tz, datetime(year, month, 15, tzinfo=UTC))
            for year in range(2000, 2041)
            for month in (1, 7)
        )
        seen.setdefault(key, name)
    return sorted(seen.values())


def kinds(names: Iterable[str]) -> dict[tuple[object, ...], ZoneChange]:
    """One change of each kind, which is the time of day that it strikes at and its size."""
    found: dict[tuple[object, ...], ZoneChange] = {}
    for name in names:
        for change in changes(name):
            found.setdefault((change.shown.time(), change.shift), change)
    return found


@cache
def readings(zone: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Every minute from `start` to `end`, in UTC, and what the zone's clock shows then."""
    tz = ZoneInfo(zone)
    moments = [start + MINUTE * n for n in range((end - start) // MINUTE + 1)]
    return [(at, at.astimezone(tz).replace(tzinfo=None, fold=0)) for at in moments]


def slots_by_definition(
    matches: Callable[[datetime], bool],
    zone: str,
    start: datetime,
    end: datetime,
    *,
    every_minute: bool,
    every_hour: bool,
) -> list[datetime]:
    """The slots from `start` to `end`, found by watching the clock for every minute of them.

    `every_minute` and `every_hour` say whether the schedule has such a wildcard.
    """
    slots: list[datetime] = []
    seen: set[datetime] = set()
    last: datetime | None = None
    for at, shown in readings(zone, start, end):
        due = matches(shown) and (every_minute or every_hour or shown not in seen)
        if last is not None and shown - last > MINUTE:
            skipped = (last + MINUTE * n for n in range(1, (shown - last) // MINUTE))
            brought_by_the_next_hour = every_hour and any(matches(shown + MINUTE * n) for n in range(61))
            due = due or (not brought_by_the_next_hour and any(map(matches, skipped)))
        if due:
            slots.append(at)
        seen.add(shown)
        last = shown
    return slots
