"""Schedules, one by one: what each says, whether it is on, and what became of its last slot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.jobs import hidden_arguments, next_of, words_of
from callboard.control.reads.names import unknown_job
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotFound
from callboard.core.limits import storable
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import schedules as queries

#: What makes up a schedule, besides its job, its key and its switch; what the code declares of it.
FIELDS = ("expr", "tz", "args", "kwargs", "misfire", "misfire_limit", "grace_ms")

MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LastSlot:
    """The last slot of a schedule that was decided."""

    due_at: datetime
    disposition: str
    reason: str | None
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule. `declared` is what the code says of it, None where an operator has made it.

    Its arguments are without secrets, and so are those declared; `edited`: an operator has changed what the
    code says. `enabled` is its own switch, `job_enabled` that of its job; `next_at` is None where its own is
    off, or it never falls due again. `retired`: the code no longer declares it. `changed_at` is also its
    version.
    """

    id: int
    job: str
    key: str
    expr: str
    tz: str
    words: str
    enabled: bool
    job_enabled: bool
    job_declared: bool
    origin: str
    retired: bool
    next_at: datetime | None
    args: list[Any]
    kwargs: dict[str, Any]
    misfire: str
    misfire_limit: int
    grace_ms: int
    declared: Mapping[str, Any] | None
    edited: bool
    checked_until: datetime | None
    created_at: datetime
    changed_at: datetime
    changed_by: str | None
    last: LastSlot | None

    @property
    def name(self) -> str:
        """Its name among all schedules: its job and its key."""
        return name_of(self.job, self.key)

    @property
    def runs(self) -> bool:
        """Whether its slots are fired at present."""
        return self.enabled and self.job_enabled


def name_of(job: str, key: str) -> str:
    """The name of a schedule among all of them."""
    return f"{job}/{key}"


def schedules(context: Context, *, job: str | None = None) -> tuple[Schedule, ...]:
    """All schedules, or those of a job, by job and key.

    Raises:
        UnknownJob: no job has that name, nor has a schedule of one.
    """
    wanted = None if job is None else storable(job)
    with context.read() as connection:
        rows = queries.schedules(connection, job=wanted)
        known = bool(rows) or job is None or wanted in job_queries.names(connection)
    if not known and job is not None:
        raise unknown_job(context, job)
    now = utcnow()
    return tuple(as_schedule(row, now) for row in rows)


def schedule(context: Context, schedule_id: int) -> Schedule:
    """One schedule.

    Raises:
        NotFound: there is none of that id.
    """
    with context.read() as connection:
        rows = queries.schedules(connection, schedule_id=schedule_id) if 0 < schedule_id <= MAX_ID else ()
    if not rows:
        raise UnknownSchedule(schedule_id)
    return as_schedule(rows[0], utcnow())


def find(context: Context, name: str) -> Schedule:
    """The schedule of that id, of that name (`job/key`), or the only one of that job.

    Raises:
        NotFound: there is none.
        BadInput: the job has several.
    """
    if name.isascii() and name.isdigit() and len(name) < 20:
        return schedule(context, int(name))
    job, slash, key = name.rpartition("/")
    if slash:
        found = [each for each in schedules(context, job=job) if each.key == key]
        if found:
            return found[0]
        raise NotFound(f"The job {job[:100]} has no schedule named {key[:100]!r}.")
    found = list(schedules(context, job=name))
    if not found:
        raise NotFound(f"The job {name} has no schedule; `callboard schedules add` gives it one.")
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise BadInput(f"The job {name} has {len(found)} schedules; name one: {names}.")
    return found[0]


class UnknownSchedule(NotFound):
    """No schedule has that id."""

    def __init__(self, schedule_id: int) -> None:
        super().__init__(f"There is no schedule {schedule_id}; it may have been deleted.")


def as_schedule(row: Row, now: datetime) -> Schedule:
    """The schedule of a row."""
    last = row["last_due_at"]
    taken = ("words", "next_at", "last", "job", "args", "kwargs", "declared", "edited")
    args, kwargs = hidden_arguments(row)
    said = row["declared"]
    return Schedule(
        job=row["job_name"],
        args=args,
        kwargs=kwargs,
        declared=None if said is None else _declared(row),
        edited=said is not None and any(said[name] != row[name] for name in FIELDS if name in said),
        words=words_of(row["expr"], row["tz"]),
        next_at=next_of(row["expr"], row["tz"], now) if row["enabled"] else None,
        last=None
        if last is None
        else LastSlot(last, row["last_disposition"], row["last_reason"], row["last_run_id"]),
        **{name: row[name] for name in Schedule.__slots__ if name not in taken},
    )


def _declared(row: Row) -> dict[str, Any]:
    """What the code says of a schedule, without secrets."""
    said: dict[str, Any] = row["declared"]
    args, kwargs = hidden_arguments({"args": (), "kwargs": {}, **said, "signature": row["signature"]})
    hidden = {"args": args, "kwargs": kwargs}
    return {name: hidden.get(name, value) for name, value in said.items()}
