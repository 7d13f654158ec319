"""The game platform's competitors: new solves, and the totals over all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Fetch, Handle, Item, MostFailed, run_id, work_through
from callboard.actors.providers.game_platform import MOST_IDS, PAGE, GamePlatform, Solve, Totals
from callboard.core.clock import utcnow
from callboard.storage.business import game_platform as storage
from callboard.storage.business.cursors import move_cursor, read_cursor
from callboard.storage.business.failures import add_failures

Steps = tuple[Fetch, Handle]

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
class Behind:
    """A competitor with all solves that are to be stored."""

    id: UUID
    solves: tuple[Solve, ...]


@dataclass(frozen=True, slots=True)
class Flagged:
    """A competitor with the totals of the platform; None: it knows none."""

    id: UUID
    name: str
    totals: Totals | None


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A competitor with the id that the platform has for the e-mail."""

    id: UUID
    name: str
    platform_id: str


class Preview:
    """What a run changes, as its result lists it where nothing is written."""

    def __init__(self, *counts: str, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._counts = ("processed", "failed", *counts)
        self.changes: list[dict[str, Any]] = []

    def add(self, **change: Any) -> None:
        """Note a change, while there is room for it."""
        if self.dry_run and len(self.changes) < LISTED:
            self.changes.append(change)

    def result(self, *results: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a run that has gone through several kinds of items."""
        tally: Counter[str] = Counter(dict.fromkeys(self._counts, 0))
        for each in results:
            tally.update({name: count for name, count in each.items() if name != "dry_run"})
        return {**tally, "dry_run": True, "changes": self.changes} if self.dry_run else dict(tally)


@dramatiq.actor(
    actor_name=SYNC,
    description="Fetch the challenges solved since the last time, and flag whose totals change",
    category="sync",
    periodic=cron("*/30 * * * *", name="game_platform_sync_incremental"),
    time_limit=300_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
    overlap="wait",
    throws=(UnknownCoach,),
)
def game_platform_sync(
    coach_id: str | None = None, dry_run: bool = False, batch_size: int = 500
) -> dict[str, Any]:
    """Link competitors by e-mail, then store the solves that the platform has had since the last time.

    With `coach_id` only that coach's competitors are looked at. Whoever has new solves is flagged for the
    totals sweep. A dry run writes nothing, and lists what would change.
    """
    platform, preview = GamePlatform(), Preview("linked", "added", "changed", "flagged", dry_run=dry_run)
    coach = _coach(coach_id)

    def through(kind: str, steps: Steps, most: int) -> dict[str, Any]:
        return work_through(SYNC, kind, *steps, batch_size=min(batch_size, most), dry_run=dry_run)

    done = [through("links", _linking(platform, coach, preview), MOST_IDS)]
    done.append(through("competitors", _catching_up(platform, coach, preview), MOST_IDS))
    if coach is None:
        done.append(through("solves", _following(platform, preview), PAGE))
    return preview.result(*done)


@dramatiq.actor(
    actor_name=SWEEP,
    description="Refresh the totals of the competitors that are flagged",
    category="sync",
    periodic=cron("0 * * * *", name="game_platform_totals_sweep_hourly"),
    time_limit=300_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
    overlap="wait",
    throws=(UnknownCoach,),
)
def game_platform_totals_sweep(
    coach_id: str | None = None, dry_run: bool = False, batch_size: int = 100
) -> dict[str, Any]:
    """Store the platform's totals of all flagged competitors, or a coach's, and clear their flags.

    One who is flagged again meanwhile stays flagged. A dry run writes nothing, and lists what would change.
    """
    platform, preview = GamePlatform(), Preview("refreshed", "changed", dry_run=dry_run)
    coach = _coach(coach_id)

    def fetch(connection: Connection, after: UUID | None, limit: int) -> Sequence[Item]:
        rows = storage.fetch_flagged(connection, coach, after, limit)
        totals = platform.totals([row.platform_id for row in rows]) if rows else {}
        return [Flagged(row.id, row.name, totals.get(row.platform_id)) for row in rows]

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        changed = storage.refresh_totals(connection, [_totals_row(item) for item in items])
        for row in changed:
            preview.add(competitor=row.name, points_before=row.before, points=row.after)
        return {"refreshed": len(items), "changed": len(changed)}

    done = work_through(
        SWEEP,
        "competitors",
        fetch,
        handle,
        count=lambda connection: storage.count_flagged(connection, coach),
        batch_size=batch_size,
        dry_run=dry_run,
        what="totals refreshed",
    )
    return preview.result(done)


def _linking(platform: GamePlatform, coach: UUID | None, preview: Preview) -> Steps:
    def fetch(connection: Connection, after: UUID | None, limit: int) -> Sequence[Item]:
        # Those whom the platform does not know are passed by, so a batch may have none that it does.
        found: list[Item] = []
        while not found and (rows := storage.fetch_unlinked(connection, coach, after, limit)):
            ids = platform.find([row.email for row in rows])
            found = [
                Unlinked(row.id, row.name, ids[row.email.lower()]) for row in rows if row.email.lower() in ids
            ]
            after = rows[-1].id
        return found

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        storage.link(connection, [item.id for item in items], [item.platform_id for item in items])
        for item in items:
            preview.add(competitor=item.name, platform_id=item.platform_id)
        return {"linked": len(items)}

    return fetch, handle


def _catching_up(platform: GamePlatform, coach: UUID | None, preview: Preview) -> Steps:
    def fetch(connection: Connection, after: UUID | None, limit: int) -> Sequence[Item]:
        rows = storage.fetch_behind(connection, coach, after, limit)
        if not rows:
            return []
        since = min((row.synced_at - OVERLAP if row.synced_at else _beginning()) for row in rows)
        solves = list(platform.all_solves([row.platform_id for row in rows], since))
        return [
            Behind(row.id, tuple(each for each in solves if each.platform_id == row.platform_id))
            for row in rows
        ]

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        solves = [solve for item in items for solve in item.solves]
        wrong = {f"solves:{solve.id}": solve.error for solve in solves if solve.error}
        add_failures(connection, SYNC, wrong, run_id())
        counts = _store(connection, [solve for solve in solves if not solve.error], preview)
        storage.mark_synced(connection, [item.id for item in items])
        return {**counts, "failed": len(wrong)}

    return fetch, handle


def _following(platform: GamePlatform, preview: Preview) -> Steps:
    """Everybody's solves, page by page, from the cursor on."""
    with engine().connect() as connection:
        cursor = read_cursor(connection, CURSOR)
    more = True

    def fetch(connection: Connection, _after: str | None, limit: int) -> Sequence[Item]:
        nonlocal cursor, more
        if not more:
            return []
        page = platform.solves(cursor=cursor, since=_beginning(), limit=limit)
        cursor, more = page.cursor, page.has_more
        wrong = [solve.error for solve in page.solves if solve.error]
        if len(wrong) > len(page.solves) / 2:
            raise MostFailed(f"Most of a page of {len(page.solves)} solves makes no sense. {wrong[0]}")
        if page.solves and not preview.dry_run:
            move_cursor(connection, CURSOR, page.cursor)
        return page.solves

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        return _store(connection, items, preview)

    return fetch, handle


def _store(connection: Connection, solves: Sequence[Solve], preview: Preview) -> Mapping[str, int]:
    changed = storage.store_solves(connection, [solve.row() for solve in solves])
    for row in changed:
        preview.add(competitor=row.name, solves_added=row.added, solves_changed=row.changed)
    return {
        "added": sum(row.added for row in changed),
        "changed": sum(row.changed for row in changed),
        "flagged": len(changed),
    }


def _totals_row(item: Flagged) -> dict[str, Any]:
    if item.totals is None:
        raise ValueError(f"The game platform has no totals of {item.name}.")
    fields = asdict(item.totals)
    del fields["platform_id"]
    return {"id": str(item.id), **fields}


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
