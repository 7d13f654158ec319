"""When a job ran: slots that nobody decided, and more runs than its schedules call for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from callboard.core.anomalies.finding import Finding
from callboard.core.display import many, span
from callboard.core.zones import zone

#: A slot may stay undecided for this long, or for so many times the schedulers' usual lag.
LEAST_GRACE = timedelta(seconds=60)
LAGS = 3


def grace(lag_p99_ms: float | None) -> timedelta:
    """How long after its time a slot is missed; the lag is that from due to decided."""
    return max(LEAST_GRACE, LAGS * timedelta(milliseconds=lag_p99_ms or 0))


def missed(
    job: str, name: str, tz: str, slots: Sequence[datetime], *, reason: str, more: bool = False
) -> Finding | None:
    """The slots of a schedule, the latest first, that are over their grace and not decided.

    `name` is the schedule's, `reason` why nobody decided them; `more`: there are others before them.
    """
    if not slots:
        return None
    latest, first = slots[0], slots[-1]
    at = f"{latest.astimezone(zone(tz)):%a %-d %b %H:%M} ({tz})"
    others = f", nor have {len(slots) - 1}{' or more' if more else ''} before it" if len(slots) > 1 else ""
    text = f"The slot of {name} at {at} has not become anything{others}: {reason}."
    return Finding("missed", job, text, first, "critical", slot=latest)


def too_often(
    job: str, began: Sequence[datetime], expected: int, since: datetime, now: datetime
) -> Finding | None:
    """That more runs began since a moment than the slots called for, and one more.

    `began` are those that nobody asked for by hand.
    """
    if len(began) <= expected + 1:
        return None
    within = span((now - since) / timedelta(milliseconds=1))
    text = (
        f"{many(len(began), 'run')} began within {within} without anybody asking for them;"
        f" the schedules call for {expected}."
    )
    return Finding("too_often", job, text, since, ratio=len(began) / expected if expected else None)
