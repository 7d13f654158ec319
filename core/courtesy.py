"""When a message may reach somebody: between nine and eight, where that person is."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: From when until when, local time.
OPENS, CLOSES = time(9), time(20)


def local(moment: datetime, zone: str) -> datetime:
    """The moment as clocks in the zone show it (an unknown one is UTC)."""
    try:
        return moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.astimezone(UTC)


def courteous(moment: datetime, zone: str) -> datetime:
    """The moment itself, or the next at which it is a decent hour in the zone (an unknown one is UTC)."""
    there = local(moment, zone)
    if there.time() < OPENS:
        day = there.date()
    elif there.time() >= CLOSES:
        day = there.date() + timedelta(days=1)
    else:
        return moment.astimezone(UTC)
    return datetime.combine(day, OPENS, tzinfo=there.tzinfo).astimezone(UTC)


def arrival_days(moment: datetime, zones: Iterable[str]) -> dict[str, date]:
    """The day, in each zone, on which a message that is sent at that moment is read there."""
    return {zone: local(courteous(moment, zone), zone).date() for zone in zones}
