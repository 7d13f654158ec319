"""What the makers of demo data share: rows of one table, and chance that comes of the seed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from callboard.core.courtesy import local

#: How far back the data go.
DAYS = 90


class Rows(NamedTuple):
    """Rows of one table, the values in the order of the columns. They can be gone through once."""

    table: str
    columns: Sequence[str]
    rows: Iterable[tuple[Any, ...]]
    schema: str = "business"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all makers start from.

    `customers` and `competitors` are how many there are to be, `today` is the day (UTC) that begins as the
    data end.
    """

    customers: int
    seed: int
    today: date
    competitors: int

    @property
    def now(self) -> datetime:
        """The start of today, at which the data end."""
        return datetime.combine(self.today, time(), UTC)

    @property
    def start(self) -> datetime:
        """The moment at which the data begin."""
        return self.now - timedelta(days=DAYS)

    def chance(self, what: str) -> Random:
        """Chance of its own for each table, so that one does not move with another."""
        return Random(f"{self.seed}:{what}")  # noqa: S311 - made-up rows are no secret

    def between(self, chance: Random, since: datetime, until: datetime | None = None) -> datetime:
        """A moment after `since` and before `until`, or the end of the data."""
        span = ((until or self.now) - since).total_seconds()
        return since + timedelta(seconds=int(chance.random() * span))

    def at_work(self, chance: Random, since: datetime, zone: str) -> datetime:
        """A moment after `since` at which people work in that zone, if chance finds one soon."""
        for _ in range(4):
            moment = self.between(chance, since)
            if 8 <= local(moment, zone).hour < 18:
                break
        return moment


def daily(moment: datetime, hour: int, minute: int = 0) -> datetime:
    """The first moment from then on at which it is that time of day (UTC)."""
    at = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at >= moment else at + timedelta(days=1)


def every(moment: datetime, minutes: int) -> datetime:
    """The first moment from then on that is a multiple of so many minutes after midnight (UTC)."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(minutes=-(-(moment - midnight).total_seconds() // (60 * minutes)) * minutes)


def end_of(day: date) -> datetime:
    """The end of a day (UTC)."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def soon(chance: Random, **most: float) -> timedelta:
    """A time of at most that long (as timedelta takes it), in whole seconds and at least one."""
    return timedelta(seconds=1 + int(chance.random() * timedelta(**most).total_seconds()))


def uuid(chance: Random) -> UUID:
    """A random UUID that comes of the seed."""
    return UUID(int=chance.getrandbits(128), version=4)
