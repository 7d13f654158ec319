"""The game platform's competitors: new solves, and the totals over all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Batch, Item, MostFailed, Work
from callboard.actors.providers.game_platform import MOST_IDS, PAGE, Account, GamePlatform, Totals
from callboard.core.clock import utcnow
from callboard.storage.business import game_platform as storage
from callboard.storage.business.cursors import move_cursor, read_cursor

SYNC = "game_platform_sync"
SWEEP = "game_platform_totals_sweep"
#: What the cursor of everybody's solves is kept under.
CURSOR = "game_platform_solves"
#: From when on solves are fetched, where none have been yet.
HISTORY_DAYS = 90
#: Fetched again, since the platform may learn of a solve late.
OVERLAP = timedelta(hours=1)
#: The most changes that a preview lists.
LISTED = 100


class UnknownCoach(ValueError):
    """There is no such coach."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A competitor, the version of the row that was read, and the totals of the platform."""

    id: UUID
    name: str
    version: str
    totals: Totals

    @property
    def error(self) -> str:
        """Why there are no totals, "" if nothing says so."""
        return self.totals.error and f"{self.name}: {self.totals.error}"

    def row(self) -> dict[str, Any]:
        """The totals as they are stored."""
        return {"id": str(self.id), "version": self.version, **self.totals.row()}


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A competitor with who that is on the platform, by the e-mail."""

    id: UUID
    name: str
    account: Account

    @property
    def error(self) -> str:
        """Why that is not known, "" if it is."""
        return self.account.error


class Preview:
    """Who is changed, and how: what the result of a dry run lists."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._changes: dict[UUID, dict[str, Any]] = {}

    def add(self, row: Any, **change: Any) -> None:
        """Note a change of one, while there is room for it; what is noted of one twice adds up."""
        if not self._work.dry_run or (row.id not in self._changes and len(self._changes) == LISTED):
            return
        noted = self._changes.setdefault(row.id, {"competitor": row.name})
        for name, value in change.items():
            noted[name] = noted[name] + value if name in noted else value

    def result(self) -> dict[str, Any]:
        """The run's result, with the changes where nothing was written."""
        result = self._work.outcome()
        return {**result, "changes": list(self._changes.values())} if self._work.dry_run else result


@dramatiq.actor(
    actor_name=SYNC,
    description="Fetch the challenges solved since the last time, and flag whose totals change",
    category="sync",
    quick_action="Incremental sync only",
    periodic=cron("*/30 * * * *", name="game_platform_sync_incremental"),
    time_limit=300_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
    overlap="wait",
    breaker="game-platform",
    throws=(UnknownCoach, MostFailed),
)
def game_platform_sync(
    coach_id: str | None = None, dry_run: bool = False, batch_size: int = 500
) -> dict[str, Any]:
    """Link competitors by e-mail, then store the solves that the platform has had since the last time.

    With `coach_id` only that coach's competitors are looked at. Whoever has new solves is flagged for the
    totals sweep. A dry run writes nothing, and lists what would change.
    """
    platform, coach = GamePlatform(), _coach(coach_id)
    counts = ("linked", "added", "changed", "flagged")
    work = Work(SYNC, batch_size=batch_size, dry_run=dry_run, counts=counts)
    preview = Preview(work)
    flagged: set[UUID] = set()
    with engine().connect() as connection:
        # Of a first sync everybody is behind: the past is fetched once, for each of them.
        since = _beginning() if storage.has_synced(connection) else utcnow() - OVERLAP

    def link(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        linked = storage.link(connection, [item.id for item in items], [item.account.id for item in items])
        for item in items:
            preview.add(item, platform_id=item.account.id)
        return {"linked": linked}

    def store(connection: Connection, solves: Sequence[Item]) -> Mapping[str, int]:
        changed = storage.store_solves(connection, [solve.row() for solve in solves])
        for row in changed:
            preview.add(row, solves_added=row.added, solves_changed=row.changed)
        before = len(flagged)
        flagged.update(row.id for row in changed)
        return {
            "added": sum(row.added for row in changed),
            "changed": sum(row.changed for row in changed),
            "flagged": len(flagged) - before,
        }

    work.through_batches("links", _unlinked(work, platform, coach), link)
    work.through_batches("solves", _past(work, platform, coach), store, what="solves of the past")
    if coach is None:
        work.through_batches("solves", _present(work, platform, since), store)
    return preview.result()


@dramatiq.actor(
    actor_name=SWEEP,
    description="Refresh the totals of the competitors that are flagged",
    category="sync",
    quick_action="Totals sweep only",
    periodic=cron("0 * * * *", name="game_platform_totals_sweep_hourly"),
    time_limit=300_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
    overlap="wait",
    breaker="game-platform",
    throws=(UnknownCoach, MostFailed),
)
def game_platform_totals_sweep(
    coach_id: str | None = None, dry_run: bool = False, batch_size: int = 100
) -> dict[str, Any]:
    """Store the platform's totals of all flagged competitors, or a coach's, and clear their flags.

    One who is flagged again meanwhile stays flagged. A dry run writes nothing, and lists what would change.
    """
    platform, coach = GamePlatform(), _coach(coach_id)
    work = Work(SWEEP, batch_size=batch_size, dry_run=dry_run, counts=("refreshed", "changed"))
    preview = Preview(work)

    def refresh(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        changed = storage.refresh_totals(connection, [item.row() for item in items])
        for row in changed:
            preview.add(row, points_before=row.before, points=row.after)
        return {"refreshed": len(items), "changed": len(changed)}

    work.through_batches(
        "competitors",
        _flagged(work, platform, coach),
        refresh,
        count=lambda connection: storage.count_flagged(connection, coach),
        what="totals refreshed",
    )
    return preview.result()


def _unlinked(work: Work, platform: GamePlatform, coach: UUID | None) -> Iterator[Batch]:
    """Those of our competitors whom the platform knows by their e-mail, and we do not know there."""
    for rows in work.rows(partial(storage.fetch_unlinked, coach=coach), most=MOST_IDS):
        accounts = platform.find([row.email for row in rows])
        known = [row for row in rows if row.email.lower() in accounts]
        yield Batch([Unlinked(row.id, row.name, accounts[row.email.lower()]) for row in known])


def _past(work: Work, platform: GamePlatform, coach: UUID | None) -> Iterator[Batch]:
    """The solves of those who are behind, and after the last of them that they are so no more."""
    for rows in work.rows(partial(storage.fetch_behind, coach=coach), most=MOST_IDS):
        since = min((row.synced_at - OVERLAP if row.synced_at else _beginning()) for row in rows)
        for page in platform.solves(cursor=None, since=since, competitors=[row.platform_id for row in rows]):
            yield Batch(page.records)
        yield Batch((), partial(storage.mark_synced, ids=[row.id for row in rows]))


def _present(work: Work, platform: GamePlatform, since: datetime) -> Iterator[Batch]:
    """Everybody's solves from the cursor on, which moves with each page.

    Where there is none they are from `since` on.
    """
    with engine().connect() as connection:
        cursor = read_cursor(connection, CURSOR)
    for page in platform.solves(cursor=cursor, since=since, limit=min(work.batch_size, PAGE)):
        yield Batch(page.records, partial(move_cursor, name=CURSOR, cursor=page.cursor))


def _flagged(work: Work, platform: GamePlatform, coach: UUID | None) -> Iterator[Batch]:
    """Flagged competitors with what the platform says of them."""
    for rows in work.rows(partial(storage.fetch_flagged, coach=coach)):
        totals = platform.totals([row.platform_id for row in rows])
        yield Batch([Flagged(row.id, row.name, row.version, totals[row.platform_id]) for row in rows])


def _coach(coach_id: str | None) -> UUID | None:
    if coach_id is None:
        return None
    try:
        coach = UUID(coach_id)
    except ValueError:
        raise UnknownCoach(f"coach_id is {coach_id[:60]!r}; it must be the id of a profile.") from None
    with engine().connect() as connection:
        if not storage.has_coach(connection, coach):
            raise UnknownCoach(f"There is no coach {coach}.")
    return coach


def _beginning() -> datetime:
    return (utcnow() - timedelta(days=HISTORY_DAYS)).astimezone(UTC)
