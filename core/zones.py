"""Time zones: what a clock on the wall does when the rules move it.

A *gap* is the stretch of readings that the clock skips when it is put forward, a *fold* the stretch that it
shows twice when it is put back. For a reading in either, zoneinfo (PEP 495) gives with `fold=0` the offset
before the change and with `fold=1` the one after; for any other reading both are the same.
"""

import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from callboard.core.errors import BadSchedule

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", re.ASCII)
SECOND = timedelta(seconds=1)


class Change(NamedTuple):
    """One change of a zone's offset."""

    #: The moment of the change, in UTC.
    at: datetime
    #: The naive readings from here, included, to `end`, left out, are skipped (gap) or shown twice (fold).
    start: datetime
    end: datetime


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        BadSchedule: there is none.
    """
    if len(name) <= 64 and _NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, LookupError):
            pass
    raise BadSchedule(f"The time zone {name[:60]!a} is unknown; write an IANA name such as Europe/Paris.")


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """The names of all IANA time zones that there are, UTC first."""
    return ("UTC", *sorted(available_timezones() - {"UTC", "localtime"}))


def offsets(reading: datetime, tz: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets of a naive reading before and after the change it lies in; the same twice if in none."""
    aware = reading.replace(tzinfo=tz)
    before = aware.utcoffset()
    after = aware.replace(fold=1).utcoffset()
    assert before is not None  # noqa: S101 - a ZoneInfo always has an offset
    assert after is not None  # noqa: S101
    return before, after


def change(reading: datetime, before: timedelta, after: timedelta, tz: ZoneInfo) -> Change:
    """The change that a naive reading in a gap or fold lies in, given the offsets before and after it."""
    # Taken for one side of the change, the reading is a moment before it; for the other, at or after it.
    low, high = sorted((reading.replace(microsecond=0) - before, reading.replace(microsecond=0) - after))

    def has_come(seconds: int) -> bool:
        moment = (low + seconds * SECOND).replace(tzinfo=UTC)
        return moment.astimezone(tz).utcoffset() != before

    seconds = range(1, (high - low) // SECOND + 1)
    at = low + seconds[bisect_left(seconds, True, key=has_come)] * SECOND
    return Change(at.replace(tzinfo=UTC), at + min(before, after), at + max(before, after))
