"""Runs: those being executed, a job's history, and one run with all that is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.flows import Flow, flows_of
from callboard.control.reads.jobs import DAYS, hidden_arguments
from callboard.control.reads.names import unknown_job
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotFound
from callboard.core.hiding import hide_value
from callboard.core.holds import Cause, held_of
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import runs as queries

#: A page of history holds at most this many runs.
MAX_HISTORY = 1_000
#: The longest span of days that may be asked for.
MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class Run:
    """A run. Times are UTC; `wait_ms` is from ready to start, `duration_ms` that of the last attempt.

    `elapsed_ms` is from the first start to the end, retries and the waits between them included.
    """

    run_id: UUID
    job: str
    queue: str
    state: str
    attempt: int
    max_attempts: int | None
    trigger: str
    requested_by: str | None
    schedule_id: int | None
    due_at: datetime | None
    enqueued_at: datetime
    started_at: datetime | None
    attempt_started_at: datetime | None
    finished_at: datetime | None
    next_retry_at: datetime | None
    wait_ms: int | None
    duration_ms: int | None
    time_limit_ms: int | None
    worker: str | None
    error_type: str | None
    error: str | None
    reason: str | None
    progress: Mapping[str, Any] | None
    retry_of: UUID | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state not in ("pending", "processing")

    @property
    def elapsed_ms(self) -> int | None:
        """From the first start to the end, in ms; None before the end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, round((self.finished_at - self.started_at) / timedelta(milliseconds=1)))

    def running_ms(self, now: datetime) -> int | None:
        """For how long its present attempt has been running, in ms."""
        begun = self.attempt_started_at or self.started_at
        return None if begun is None else max(0, round((now - begun) / timedelta(milliseconds=1)))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution within a run."""

    attempt: int
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    worker: str | None
    error_type: str | None
    error: str | None
    traceback: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a run logged; `seq` counts within its attempt."""

    attempt: int
    seq: int
    at: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its arguments and result (secrets masked), attempts (oldest first) and log lines.

    `retried_as` is the run that does it again, if there is one; `flows` are the chain and the group that it
    is a part of; `held` is for how long (ms) it was held back before its first start, by cause.
    """

    run: Run
    args: list[Any]
    kwargs: dict[str, Any]
    result: Any
    traceback: str | None
    attempts: tuple[Attempt, ...]
    logs: tuple[LogLine, ...]
    retried_as: UUID | None = None
    flows: tuple[Flow, ...] = ()
    held: Mapping[Cause, int] = field(default_factory=dict)


def running(context: Context, *, job: str | None = None) -> tuple[Run, ...]:
    """The runs being executed now, the longest running first (at most 500)."""
    with context.read() as connection:
        return tuple(as_run(row) for row in queries.running(connection, job=job))


def history(
    context: Context, job: str, *, limit: int = 50, days: int = DAYS, before: datetime | None = None
) -> tuple[Run, ...]:
    """A job's started runs of the last `days` days, the latest first; `before` is for the next page.

    Raises:
        NotFound: no job has that name.
        BadInput: the limit is not 1 to 1000 or the days are not 1 to 366.
    """
    check_range("limit", limit, MAX_HISTORY)
    check_range("days", days, MAX_DAYS)
    with context.read() as connection:
        known = job in job_queries.names(connection)
        rows = (
            queries.history(
                connection, job, since=utcnow() - timedelta(days=days), before=before, limit=limit
            )
            if known
            else ()
        )
    if not known:
        raise unknown_job(context, job)
    return tuple(as_run(row) for row in rows)


def run(context: Context, run_id: UUID | str) -> RunDetail:
    """One run with its attempts and log lines.

    Raises:
        NotFound: no run has that id, or it is older than what is kept.
        BadInput: the id is not a UUID.
    """
    wanted = as_run_id(run_id)
    with context.read() as connection:
        row = queries.run(connection, wanted)
        if row is None:
            raise NotFound(f"There is no run {wanted}; it may be older than what is kept.")
        flows = flows_of(connection, row["flow"])
        attempts = queries.attempts(connection, wanted, row["enqueued_at"])
        logs = queries.log_lines(connection, wanted, row["enqueued_at"])
    args, kwargs = hidden_arguments(row)
    return RunDetail(
        run=as_run(row),
        args=args,
        kwargs=kwargs,
        result=hide_value(row["result"]),
        traceback=row["traceback"],
        attempts=tuple(Attempt(**each) for each in attempts),
        # Threads of one run may hand over their lines in another order than they wrote them.
        logs=tuple(sorted((LogLine(**each) for each in logs), key=lambda line: (line.attempt, line.at))),
        retried_as=row["retried_as"],
        flows=flows,
        held=held_of(row["held"]),
    )


def ended(context: Context, run_ids: list[UUID], *, since: datetime) -> list[UUID]:
    """Those of the runs, all made since then, that have ended."""
    with context.read() as connection:
        return queries.ended(connection, run_ids, since)


def as_run_id(value: UUID | str) -> UUID:
    """A run's id from its text."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except ValueError:
        raise BadInput(f"{value[:100]!r} is not the id of a run; ids are UUIDs.") from None


def check_range(name: str, value: int, most: int) -> None:
    """Refuse a number outside 1 to `most`, by name."""
    if not 1 <= value <= most:
        raise BadInput(f"The {name} must be from 1 to {most}, not {value}.")


def as_run(row: Row) -> Run:
    """A run from its row."""
    return Run(**{name: row[name] for name in Run.__slots__})
