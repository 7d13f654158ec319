"""What happened over time, in buckets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.control.context import Context
from callboard.control.reads.jobs import DAYS
from callboard.control.reads.names import unknown_job
from callboard.control.reads.runs import MAX_DAYS, check_range
from callboard.control.reads.windows import window
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import trends as queries


@dataclass(frozen=True, slots=True)
class TimelineBucket:
    """One hour of a job's life."""

    time_bucket: datetime
    executions: int
    successes: int
    failures: int
    avg_duration_ms: float | None


@dataclass(frozen=True, slots=True)
class OutcomeBucket:
    """What ended within a span of time that begins `at` (`started`: what began). Times in ms."""

    at: datetime
    started: int
    succeeded: int
    failed: int
    dead: int
    cancelled: int
    skipped: int
    retried: int
    average_ms: float | None
    maximum_ms: int | None
    average_wait_ms: float | None
    maximum_wait_ms: int | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Buckets of one width, oldest first, without gaps; the last one is not over yet."""

    width_s: int
    buckets: tuple[OutcomeBucket, ...]


def timeline(context: Context, job: str, *, days: int = DAYS) -> tuple[TimelineBucket, ...]:
    """A job's hours of the last `days` days, oldest first: the public function `get_cron_job_timeline`.

    Raises:
        NotFound: no job has that name.
        BadInput: the days are not 1 to 366.
    """
    check_range("days", days, MAX_DAYS)
    with context.read() as connection:
        known = job in job_queries.names(connection)
        rows = queries.timeline(connection, job, hours=days * 24) if known else ()
    if not known:
        raise unknown_job(context, job)
    return tuple(
        TimelineBucket(
            time_bucket=row["time_bucket"],
            executions=row["executions"],
            successes=row["successes"],
            failures=row["failures"],
            avg_duration_ms=None if row["avg_duration_ms"] is None else float(row["avg_duration_ms"]),
        )
        for row in rows
    )


def outcomes(
    context: Context,
    *,
    hours: float = 24,
    width_s: int | None = None,
    job: str | None = None,
    queue: str | None = None,
) -> Outcomes:
    """What became of runs in the last hours, in buckets aligned to UTC midnight, every empty one included.

    Raises:
        BadInput: the hours are not more than 0 and at most 366 days, or the width is none of `WIDTHS_S`.
    """
    span = window(hours, width_s)
    with context.read() as connection:
        rows = queries.outcomes(
            connection,
            start=span.start,
            until=span.until,
            width=span.width,
            base_s=span.base_s,
            job=job,
            queue=queue,
        )
    found = {row["at"]: row for row in rows}
    return Outcomes(width_s=span.width_s, buckets=tuple(_bucket(at, found.get(at)) for at in span.moments()))


def compared(context: Context, *, hours: float) -> tuple[Outcomes, Outcomes]:
    """The same of all runs; and, in buckets of the same width, of twice as many hours, which end with these.

    Raises:
        BadInput: the hours are not more than 0 and at most 183 days.
    """
    span = window(hours)
    both = outcomes(context, hours=2 * hours, width_s=span.width_s)
    number = sum(1 for _ in span.moments())
    return Outcomes(both.width_s, both.buckets[-number:]), both


def _bucket(at: datetime, row: Row | None) -> OutcomeBucket:
    if row is None:
        return OutcomeBucket(at, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)
    return OutcomeBucket(**{name: _rounded(row[name]) for name in OutcomeBucket.__slots__})


def _rounded(value: Any) -> Any:
    return round(value, 1) if isinstance(value, float) else value
