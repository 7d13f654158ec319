"""The coming runs of a schedule, with what the clock on the wall does to them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from callboard.core.cron import Cron
from callboard.core.cron_calendar import Calendar, calendar
from callboard.core.zones import SECOND, change, offsets, zone

#: So many runs are shown unless asked otherwise.
SHOWN = 50

_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A run to come: the moment in UTC and as the schedule's zone shows it.

    `note` says what a change of the zone's clock does to it, None where it does nothing.
    """

    at: datetime
    local: datetime
    note: str | None


def upcoming(schedule: Cron, after: datetime, count: int = SHOWN) -> tuple[Upcoming, ...]:
    """The first `count` slots strictly after an aware moment; fewer where the calendar ends."""
    return tuple(look(schedule, slot) for slot in schedule.between(after, _END, limit=count))


def look(schedule: Cron, slot: datetime) -> Upcoming:
    """One slot of a schedule, as its zone shows it."""
    return Upcoming(slot, slot.astimezone(zone(schedule.tz)), _note(schedule, slot))


def _note(schedule: Cron, slot: datetime) -> str | None:
    tz = zone(schedule.tz)
    local = slot.astimezone(tz)
    reading = local.replace(tzinfo=None, fold=0)
    when = calendar(schedule.expr)
    if not _shows(when, reading):
        return _moved(when, slot, schedule)
    early, late = offsets(reading, tz)
    if early <= late:
        return None
    if local.fold:
        return f"the clock shows {reading:%H:%M} for the second time that day"
    if when.every_minute or when.every_hour:
        return f"the clock shows {reading:%H:%M} twice that day, and it runs both times"
    return f"the clock shows {reading:%H:%M} twice that day; it runs the first time only"


def _moved(when: Calendar, slot: datetime, schedule: Cron) -> str | None:
    """Of a slot at which the clock shows no matching time: the time that a gap swallowed."""
    tz = zone(schedule.tz)
    before = (slot - SECOND).astimezone(tz).replace(tzinfo=None, fold=0)
    found = when.next(before)
    if found is None:
        return None
    early, late = offsets(found, tz)
    if early >= late:
        return None
    gap = change(found, early, late, tz)
    return f"the clock skips {found:%H:%M} that day; it runs at {gap.end:%H:%M}, right after"


def _shows(when: Calendar, reading: datetime) -> bool:
    return when.next(reading - SECOND) == reading
