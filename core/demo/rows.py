"""What the makers of demo data share: rows of one table, and chance that comes of the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

#: How far back the data go.
DAYS = 90


class Rows(NamedTuple):
    """Rows of one table of the schema `business`, the values in the order of the columns."""

    table: str
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all makers start from: the number of customers, the seed, and the day that is today (UTC)."""

    customers: int
    seed: int
    today: date

    @property
    def now(self) -> datetime:
        """The start of today."""
        return datetime.combine(self.today, time(), UTC)

    def chance(self, what: str) -> Random:
        """Chance of its own for each table, so that one does not move with another."""
        return Random(f"{self.seed}:{what}")  # noqa: S311 - made-up rows are no secret

    def ago(self, chance: Random, most: float = DAYS, least: float = 0) -> datetime:
        """A moment between `least` and `most` days before today."""
        return self.now - timedelta(seconds=int(chance.uniform(least, most) * 86_400))


def uuid(chance: Random) -> UUID:
    """A random UUID that comes of the seed."""
    return UUID(int=chance.getrandbits(128), version=4)
