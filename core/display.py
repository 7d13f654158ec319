"""Numbers, spans and moments as people read them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DASH = "–"

#: Control characters of both sets, but for the ends of lines and tabs.
_COMMANDS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A}, "\ufffd")


def span(ms: float | None) -> str:
    """A span of milliseconds: `40 ms`, `2.4 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if ms is None:
        return DASH
    if ms < 1_000:
        return f"{ms:.0f} ms"
    seconds = ms / 1_000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h"
    if hours:
        return f"{hours} h {minute:02d} min"
    return f"{minutes} min {second:02d} s"


def clock(ms: float | None) -> str:
    """A span that counts up, of constant width from second to second: `0:07`, `12:40`, `1:02:03`."""
    if ms is None:
        return DASH
    minutes, second = divmod(int(ms // 1_000), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def printable(text: str) -> str:
    """The text with every character that would command a terminal replaced by U+FFFD."""
    return text.translate(_COMMANDS)


def rate(per_cent: float | None) -> str:
    """A rate in per cent; never rounded up to 100."""
    if per_cent is None:
        return DASH
    if 99.95 <= per_cent < 100:
        return "99.9%"
    return f"{per_cent:.1f}%".replace(".0%", "%")


def count(number: int) -> str:
    """A number with its thousands apart; from a hundred thousand on, in short."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.1f} M"
    return f"{number / 1_000:.0f} k" if number >= 100_000 else f"{number:,}"


def many(number: int, one: str, more: str | None = None) -> str:
    """`1 run`, `12 runs`."""
    return f"{count(number)} {one if number == 1 else more or f'{one}s'}"


def listed(names: Sequence[str], most: int) -> str:
    """Names with commas; of more than `most` the others are counted: `a, b and 3 others`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {many(len(names) - most, 'other')}"


def per_day(rate: float) -> str:
    """How often a day: `2,880`, `6`, `0.14`."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def attempt_of(attempt: int, most: int | None) -> str:
    """`attempt 2 of 3`; `attempt 2` where there is no limit."""
    return f"attempt {attempt}" if most is None else f"attempt {attempt} of {most}"


def distance(at: datetime | None, now: datetime | None = None) -> str:
    """How far off a moment is: `in 4 min`, `2 h ago`, `now`."""
    if at is None:
        return DASH
    seconds = (at - (now or datetime.now(UTC))).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "now"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if size >= unit:
            far = f"{int(size // unit)} {name}"
            break
    return f"in {far}" if seconds > 0 else f"{far} ago"


def utc(at: datetime) -> str:
    """A moment in UTC, to the millisecond: `2026-11-02 14:05:09.123 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def zone(name: str | None) -> ZoneInfo:
    """The time zone a browser named; UTC where it named none that is known."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(at: datetime | None, tz: ZoneInfo, now: datetime | None = None, *, exact: bool = False) -> str:
    """A moment in a zone: `14:05:09` or `14:05` today, `Mon 14:05` this week, else `2 Nov 2026 14:05`.

    With `exact` the seconds are always told.
    """
    if at is None:
        return DASH
    local = at.astimezone(tz)
    today = (now or datetime.now(UTC)).astimezone(tz)
    if local.date() == today.date():
        return local.strftime("%H:%M:%S" if exact or local.second or local.microsecond else "%H:%M")
    clock = "%H:%M:%S" if exact else "%H:%M"
    if abs((local - today).days) < 6:
        return local.strftime(f"%a {clock}")
    same_year = local.year == today.year
    return f"{local.day} {local.strftime(f'%b {clock}' if same_year else f'%b %Y {clock}')}"
