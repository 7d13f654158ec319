"""Moments as people write them: ISO 8601, or a time of day that has just been."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callboard.core.clock import as_utc
from callboard.core.errors import BadInput

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
#: The longest span that may be asked for.
_LONGEST_S = 3_660 * 86_400


#: Moments are those of these years: beyond them there are neither schedules nor rules of clocks.
_YEARS = range(1970, 2200)


def sensible(moment: datetime) -> datetime:
    """A moment in UTC, if it is one that schedules may be asked about.

    Raises:
        BadInput: it has no time zone, or is not of the years 1970 to 2199.
    """
    if moment.year not in _YEARS:
        raise BadInput(f"The moment {moment.isoformat()} is out of reach; name one from 1970 to 2199.")
    return as_utc(moment)


def read_moment(text: str, tz: ZoneInfo, now: datetime) -> datetime:
    """A moment in UTC: `2026-11-26T08:00Z`, or as the zone's clock shows it, `2026-11-26 08:00` or `08:00`.

    A time of day alone is the last time that the clock showed it; of two passes through it, the first.

    Raises:
        BadInput: it is neither, or out of reach (see `sensible`).
    """
    found = _TIME.fullmatch(text.strip())
    if found:
        hour, minute, second = (int(part or 0) for part in found.groups())
        today = now.astimezone(tz)
        for day in (today, today - timedelta(days=1)):
            at = day.replace(hour=hour, minute=minute, second=second, microsecond=0, fold=0)
            if as_utc(at) <= now:
                return as_utc(at)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            f"{text[:60]!r} is no moment; write a time of day such as 08:00, or 2026-11-26T08:00Z."
        ) from None
    return sensible(moment if moment.tzinfo else moment.replace(tzinfo=tz))


def read_span(text: str) -> timedelta:
    """A span of time: `30min`, `2h`, `1.5d`.

    Raises:
        BadInput: it is none, or longer than ten years.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found and len(text) < 40 else None
    if seconds is None or not 0 < seconds <= _LONGEST_S:
        raise BadInput(f"{text[:60]!r} is no span of time; write one such as 30min, 2h or 7d.")
    return timedelta(seconds=seconds)
