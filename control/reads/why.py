"""Why did it not run at that time? One or two sentences, from the ledger and the audit trail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.reads import why_words as words
from callboard.control.reads.jobs import cron_of
from callboard.control.reads.ledger import UNDECIDED, Occurrence, as_occurrence, open_occurrence
from callboard.control.reads.names import UnknownJob
from callboard.control.reads.presence import PROMPT, presence
from callboard.control.reads.schedules import Schedule, as_schedule, name_of
from callboard.core.clock import utcnow
from callboard.core.errors import BadSchedule
from callboard.core.limits import storable
from callboard.core.moments import read_moment, sensible
from callboard.core.zones import zone
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import ledger as queries
from callboard.storage.queries import schedules as schedule_queries
from callboard.storage.queries import switches as switch_queries

#: A slot this near to the moment is the one that is asked for.
NEAR = timedelta(seconds=60)
#: So many slots on either side are looked at.
AROUND = 50

#: Dispositions of slots that no scheduler has claimed in time.
LATE = ("late", "missed", "coalesced")
JOB_SWITCH = ("disable_job", "enable_job")
SCHEDULE_SWITCH = ("disable_schedule", "enable_schedule", "reset_schedule", "add_schedule", "edit_schedule")
SCHEDULE_EDITS = ("edit_schedule", "reset_schedule", "add_schedule", "remove_schedule")


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: plain sentences, and the slots that they speak of, none where none was expected.

    `at` is the moment asked for, in UTC, and `tz` the zone that the sentences tell times in.
    """

    job: str
    at: datetime
    tz: str
    sentences: tuple[str, ...]
    slots: tuple[Occurrence, ...]

    def __str__(self) -> str:
        return " ".join(self.sentences)


def why(context: Context, job: str, at: str | datetime, *, tz: str | None = None) -> Why:
    """What became of the slot of a job that was expected at a moment, and why.

    A moment as text is ISO 8601 or a time of day, in `tz`, else in the zone of the job's schedules.

    Raises:
        UnknownJob: no job has that name, nor did one have a schedule.
        BadInput: the text is no moment, or has no time zone; the zone is none.
    """
    now = utcnow()
    with context.read() as connection:
        rows = schedule_queries.schedules(connection, job=storable(job))
        if not rows and storable(job) not in (names := job_queries.names(connection)):
            raise UnknownJob(job, names)
        tz = tz or next((row["tz"] for row in sorted(rows, key=lambda row: not row["enabled"])), "UTC")
        here = zone(tz)
        moment = read_moment(at, here, now) if isinstance(at, str) else sensible(at)
        looked = _Look(context, connection, job, moment, here, now)
        near = looked.near(rows)
        sentences = [looked.explain(slot, rows) for slot in near] if near else looked.nothing(rows)
    return Why(job, moment, tz, tuple(sentences), tuple(near))


class _Look:
    """One question, and the connection that it is answered over."""

    def __init__(
        self, context: Context, connection: Connection, job: str, at: datetime, tz: ZoneInfo, now: datetime
    ) -> None:
        self._context = context
        self._connection = connection
        self._job = job
        self._at = at
        self._tell = words.Teller(tz, now)
        self._now = now
        around = queries.around(connection, storable(job), at, limit=AROUND)
        self._decided = [as_occurrence(row) for row in around]

    def near(self, rows: Sequence[Row]) -> list[Occurrence]:
        """The slots nearest to the moment, all of one time; none where all are far from it."""
        known = {(slot.schedule_id, slot.due_at) for slot in self._decided}
        found = [slot for slot in self._decided if abs(slot.due_at - self._at) <= NEAR]
        for row in rows:
            expected = _expected(row, self._at - NEAR, self._at + NEAR)
            found += [self._unknown(row, due_at) for due_at in expected if (row["id"], due_at) not in known]
        if not found:
            return []
        nearest = min(found, key=lambda slot: abs(slot.due_at - self._at)).due_at
        return [slot for slot in found if slot.due_at == nearest]

    def explain(self, slot: Occurrence, rows: Sequence[Row]) -> str:
        """What became of a slot, in one sentence or two."""
        said = self._became(slot, rows)
        if slot.disposition not in LATE:
            return said
        return f"{said} {self._tell.unattended(slot, presence(self._context))}"

    def _became(self, slot: Occurrence, rows: Sequence[Row]) -> str:
        if slot.disposition == UNDECIDED:
            return self._tell.undecided(slot)
        if slot.disposition == "skipped_disabled":
            return self._tell.not_run(slot, self._off(slot, rows))
        if slot.run_id is None:
            return self._tell.not_run(slot, slot.reason)
        waiting = queries.waiting(self._connection, slot.run_id)
        return self._tell.fired(slot, waiting=waiting is not None)

    def nothing(self, rows: Sequence[Row]) -> list[str]:
        """That nothing was expected, what was around it, and what there is to know of the schedules."""
        sentences = [f"No slot of {self._job} falls due at {self._tell.zoned(self._at)}."]
        if not rows:
            sentences.append(f"{self._job} has no schedule.")
        for row in rows:
            schedule = as_schedule(row, self._now)
            if schedule.created_at > self._at:
                sentences.append(self._tell.created_later(schedule))
                continue
            before, after = self._neighbours(row)
            sentences.append(self._tell.around(schedule, before, after))
            sentences += self._notes(schedule)
        return sentences

    def _neighbours(self, row: Row) -> tuple[Occurrence | None, datetime | None]:
        earlier = [
            slot for slot in self._decided if slot.schedule_id == row["id"] and slot.due_at <= self._at
        ]
        before = earlier[-1] if earlier else None
        try:
            schedule = cron_of(row["expr"], row["tz"])
            after = schedule.next(self._at)
            if before is None:
                before = self._unknown(row, schedule.previous(self._at))
        except BadSchedule:
            after = None
        return before, after

    def _notes(self, schedule: Schedule) -> Iterator[str]:
        if schedule.changed_at > self._at:
            change = queries.next_change(self._connection, schedule.name, SCHEDULE_EDITS, self._at)
            yield self._tell.changed_since(schedule, change)
        if not schedule.enabled:
            yield self._tell.is_off(schedule)

    def _unknown(self, row: Row, due_at: datetime) -> Occurrence:
        """A slot that the schedule as it is names, and the ledger does not."""
        if due_at > self._now:
            return open_occurrence(row, due_at, "it is not due yet")
        base = row["checked_until"]
        if base is not None and due_at > base:
            reason = presence(self._context).why_undecided(due_at, self._now)
            return open_occurrence(row, due_at, reason)
        after = queries.following(self._connection, row["id"], due_at)
        if after is not None and words.stands_for(after["reason"], due_at):
            return as_occurrence(after)
        schedule = as_schedule(row, self._now)
        if due_at <= schedule.created_at:
            return open_occurrence(row, due_at, self._tell.created_later(schedule, within=True))
        if due_at <= schedule.changed_at + PROMPT:
            change = queries.next_change(self._connection, schedule.name, SCHEDULE_EDITS, due_at)
            return open_occurrence(row, due_at, self._tell.changed_since(schedule, change, within=True))
        return open_occurrence(row, due_at, words.FORGOTTEN)

    def _off(self, slot: Occurrence, rows: Sequence[Row]) -> str:
        """Why the job or the schedule was off."""
        at = slot.decided_at or slot.due_at
        of_job = slot.reason == words.JOB_OFF
        if of_job:
            change = queries.last_change(self._connection, slot.job, JOB_SWITCH, at)
            switch = switch_queries.switch(self._connection, storable(slot.job))
            notes = switch["notes"] if switch is not None and not switch["enabled"] else None
        elif slot.reason == words.SCHEDULE_OFF and slot.key is not None:
            name = name_of(slot.job, slot.key)
            change = queries.last_change(self._connection, name, SCHEDULE_SWITCH, at)
            notes = None
            if change is None and any(row["id"] == slot.schedule_id and row["retired"] for row in rows):
                return "since the code no longer declares the schedule"
        else:
            return f"since {slot.reason}"
        off = change is not None and (change["after"] or {}).get("enabled") is False
        what = "job" if of_job else "schedule"
        return self._tell.switched_off(what, change if off else None, notes)


def _expected(row: Row, start: datetime, end: datetime) -> list[datetime]:
    try:
        return list(
            cron_of(row["expr"], row["tz"]).between(start - timedelta(microseconds=1), end, limit=200)
        )
    except (BadSchedule, OverflowError):
        return []
