"""What happened over time, in buckets."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from callboard.control.context import Context
from callboard.control.reads.jobs import DAYS, unknown_job
from callboard.control.reads.runs import MAX_DAYS, check_range
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import trends as queries

#: The widths (s) that outcomes come in when none is asked for: the narrowest with no more buckets than this.
WIDTHS_S = (60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800)
MOST_BUCKETS = 100


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
    if not 0 < hours <= MAX_DAYS * 24:
        raise BadInput(f"The hours must be more than 0 and at most {MAX_DAYS * 24}, not {hours:g}.")
    width_s = _width(hours) if width_s is None else width_s
    if width_s not in WIDTHS_S:
        raise BadInput(f"The width must be one of {', '.join(map(str, WIDTHS_S))} seconds, not {width_s}.")
    now = utcnow()
    start = _floor(now - timedelta(hours=hours), width_s)
    until = _floor(now, width_s) + timedelta(seconds=width_s)
    base_s = max(base for base in (60, 3_600, 86_400) if width_s % base == 0)
    width = timedelta(seconds=width_s)
    with context.read() as connection:
        rows = queries.outcomes(
            connection, start=start, until=until, width=width, base_s=base_s, job=job, queue=queue
        )
    found = {row["at"]: row for row in rows}
    count = round((until - start) / width)
    moments = (start + width * index for index in range(count))
    return Outcomes(width_s=width_s, buckets=tuple(_bucket(at, found.get(at)) for at in moments))


def _width(hours: float) -> int:
    return next((width for width in WIDTHS_S if hours * 3600 / width <= MOST_BUCKETS), WIDTHS_S[-1])


def _floor(at: datetime, width_s: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width_s, UTC)


def _bucket(at: datetime, row: Row | None) -> OutcomeBucket:
    if row is None:
        return OutcomeBucket(at, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)
    return OutcomeBucket(
        at=at,
        started=row["started"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        dead=row["dead"],
        cancelled=row["cancelled"],
        skipped=row["skipped"],
        retried=row["retried"],
        average_ms=_rounded(row["duration_avg_ms"]),
        maximum_ms=row["duration_max_ms"],
        average_wait_ms=_rounded(row["wait_avg_ms"]),
        maximum_wait_ms=row["wait_max_ms"],
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
