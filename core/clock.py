"""Times: aware and in UTC everywhere; as integers they are milliseconds since 1970."""

from datetime import UTC, datetime, timedelta

from callboard.core.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def utcnow() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def as_utc(moment: datetime) -> datetime:
    """The same moment as a plain `datetime` in UTC, whatever subclass (pendulum's, pandas') came in.

    Raises:
        BadInput: the moment has no time zone.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise BadInput(
            f"The time {moment} has no time zone; give an aware datetime, for example with tzinfo=UTC."
        )
    plain = datetime(
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
        tzinfo=UTC,
    )
    return plain - timedelta(days=offset.days, seconds=offset.seconds, microseconds=offset.microseconds)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds from 1970 to that moment, rounded down.

    Raises:
        BadInput: the moment has no time zone.
    """
    return (as_utc(moment) - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """The aware UTC moment that many milliseconds after 1970."""
    return EPOCH + ms * MILLISECOND
