"""When a message may reach somebody: between nine and eight, where that person is."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: From when until when, local time.
OPENS, CLOSES = time(9), time(20)


def courteous(moment: datetime, zone: str) -> datetime:
    """The moment itself, or the next at which it is a decent hour in the zone (an unknown one is UTC)."""
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = moment.astimezone(UTC)
    if local.time() < OPENS:
        day = local.date()
    elif local.time() >= CLOSES:
        day = local.date() + timedelta(days=1)
    else:
        return moment.astimezone(UTC)
    return datetime.combine(day, OPENS, tzinfo=local.tzinfo).astimezone(UTC)
