"""Why did it run, or not: what became of each slot, those that nobody has decided yet included."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.jobs import cron_of
from callboard.control.reads.presence import Presence, presence
from callboard.control.reads.runs import MAX_HISTORY, check_range
from callboard.control.reads.schedules import MAX_ID
from callboard.core.clock import utcnow
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.errors import BadInput, BadSchedule
from callboard.core.limits import storable
from callboard.core.moments import sensible
from callboard.core.states import Disposition
from callboard.storage.queries import Row
from callboard.storage.queries import ledger as queries
from callboard.storage.queries import schedules as schedule_queries

#: What stands for the disposition of a slot that has passed and that no scheduler has decided.
UNDECIDED = "undecided"
WORDS = (*(str(each) for each in Disposition), UNDECIDED)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A slot and what became of it: a disposition (see `core.states.Disposition`), or `undecided`.

    `expr` and `key` are None if its schedule is gone. `run_state` is None where no run is known (yet, or any
    more); `run_reason` is the run's error, or why it was skipped or ended.
    """

    schedule_id: int
    job: str
    key: str | None
    expr: str | None
    tz: str | None
    due_at: datetime
    disposition: str
    reason: str | None
    run_id: UUID | None
    run_state: str | None
    run_reason: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which slots: all that fit whatever is given. `since` and `until` are by the due time, both included."""

    job: str | None = None
    schedule_id: int | None = None
    dispositions: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def checked(self) -> "Wanted":
        """The same with moments in UTC.

        Raises:
            BadInput: a disposition is none, or a moment has no time zone or is out of reach.
        """
        for word in self.dispositions or ():
            if word not in WORDS:
                raise BadInput(f"There is no disposition {word[:40]!r}; there are {', '.join(WORDS)}.")
        since = None if self.since is None else sensible(self.since)
        until = None if self.until is None else sensible(self.until)
        return replace(self, since=since, until=until)


def ledger(context: Context, job: str, *, limit: int = 100) -> tuple[Occurrence, ...]:
    """A job's latest slots, the latest first.

    Raises:
        BadInput: the limit is not 1 to 1000.
    """
    return page(context, Wanted(job=job), limit=limit)[0]


def page(
    context: Context, wanted: Wanted | None = None, *, limit: int = 100, cursor: str | None = None
) -> tuple[tuple[Occurrence, ...], str | None]:
    """A page of slots, the latest first, and the cursor of the next page, if there is one.

    Slots that have passed undecided are on the first page, besides the `limit` of it.

    Raises:
        BadInput: the limit is not 1 to 1000, no page has that cursor, or see `Wanted.checked`.
    """
    wanted = (wanted or Wanted()).checked()
    check_range("limit", limit, MAX_HISTORY)
    if wanted.schedule_id is not None and not 0 < wanted.schedule_id <= MAX_ID:
        return (), None
    after = read_cursor(cursor, int)
    decided = None if wanted.dispositions is None else [w for w in wanted.dispositions if w != UNDECIDED]
    rows: Sequence[Row] = ()
    open_rows: Sequence[Row] = ()
    job = None if wanted.job is None else storable(wanted.job)
    with context.read() as connection:
        if decided is None or decided:
            rows = queries.page(
                connection,
                limit=limit + 1,
                job=job,
                schedule_id=wanted.schedule_id,
                dispositions=decided,
                since=wanted.since,
                until=wanted.until,
                after=after,
            )
        if after is None and (wanted.dispositions is None or UNDECIDED in wanted.dispositions):
            open_rows = schedule_queries.schedules(connection, job=job, schedule_id=wanted.schedule_id)
    decisions = [as_occurrence(row) for row in rows]
    found, following = cut_page(decisions, limit, lambda slot: (slot.due_at, slot.schedule_id))
    passed = undecided(context, open_rows, wanted, limit=limit)
    merged = sorted((*found, *passed), key=lambda slot: (slot.due_at, slot.schedule_id), reverse=True)
    return tuple(merged), following


def undecided(context: Context, rows: Sequence[Row], wanted: Wanted, *, limit: int) -> tuple[Occurrence, ...]:
    """The slots of these schedules that have passed undecided, the latest of each."""
    now = utcnow()
    found: list[Occurrence] = []
    alive: Presence | None = None
    for row in rows:
        for due_at in islice(passed_slots(row, now), limit):
            if wanted.since is not None and due_at < wanted.since:
                break
            if wanted.until is not None and due_at > wanted.until:
                continue
            alive = alive or presence(context)
            found.append(open_occurrence(row, due_at, alive.why_undecided(due_at, now)))
    return tuple(found)


def passed_slots(row: Row, now: datetime) -> Iterator[datetime]:
    """The slots of a schedule up to now that are not decided, the latest first."""
    base = row["checked_until"]
    if base is None:
        return
    try:
        schedule = cron_of(row["expr"], row["tz"])
        due_at = schedule.previous(now + timedelta(microseconds=1))
        while due_at > base:
            yield due_at
            due_at = schedule.previous(due_at)
    except BadSchedule:
        return


def open_occurrence(row: Row, due_at: datetime, reason: str) -> Occurrence:
    """The slot of a schedule that nobody has decided."""
    return Occurrence(
        schedule_id=row["id"],
        job=row["job_name"],
        key=row["key"],
        expr=row["expr"],
        tz=row["tz"],
        due_at=due_at,
        disposition=UNDECIDED,
        reason=reason,
        run_id=None,
        run_state=None,
        run_reason=None,
        decided_at=None,
    )


def as_occurrence(row: Row) -> Occurrence:
    """The slot of a row of the ledger."""
    named = {"job": "job_name", "key": "schedule", "expr": "schedule_expr", "tz": "schedule_tz"}
    return Occurrence(**{name: row[named.get(name, name)] for name in Occurrence.__slots__})
