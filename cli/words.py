"""Numbers, spans and moments as a person reads them in a terminal."""

from datetime import UTC, datetime

NONE = "-"


def span(ms: float | None) -> str:
    """A span of milliseconds: `40 ms`, `2.4 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if ms is None:
        return NONE
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1_000:.1f} s"
    minutes, second = divmod(round(ms / 1_000), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h"
    return f"{hours} h {minute:02d} min" if hours else f"{minutes} min {second:02d} s"


def rate(per_cent: float | None) -> str:
    """A rate in per cent; never rounded up to 100."""
    if per_cent is None:
        return NONE
    return "99.9%" if 99.95 <= per_cent < 100 else f"{per_cent:.1f}%".replace(".0%", "%")


def distance(at: datetime | None, now: datetime | None = None) -> str:
    """How far off a moment is: `in 4 min`, `2 h ago`, `now`."""
    if at is None:
        return NONE
    seconds = (at - (now or datetime.now(UTC))).total_seconds()
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if abs(seconds) >= unit:
            far = f"{int(abs(seconds) // unit)} {name}"
            return f"in {far}" if seconds > 0 else f"{far} ago"
    return "now"


def moment(at: datetime | None) -> str:
    """A moment in the time zone of this machine: `2026-11-22 14:05:09`."""
    return NONE if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
