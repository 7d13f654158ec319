"""How long runs took and waited: percentiles over time, and each job's days."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.reads.windows import floor, window
from callboard.core.anomalies import Usual
from callboard.core.clock import utcnow
from callboard.core.histogram import merge, percentile
from callboard.storage.queries import Row
from callboard.storage.queries import durations as queries

#: So many days say what is usual, today counted as one of them.
TREND_DAYS = 14


@dataclass(frozen=True, slots=True)
class DurationBucket:
    """Percentiles (ms) of what ended within a span of time that begins `at`; None without data."""

    at: datetime
    runs: int
    p10_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    wait_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Durations:
    """Buckets of one width, oldest first, without gaps, and the percentiles of them all together."""

    width_s: int
    buckets: tuple[DurationBucket, ...]
    p50_ms: float | None
    p95_ms: float | None
    wait_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A job's last days: executions and failures a UTC day, oldest first; percentiles (ms) of them all.

    `p95_days` is that of each day, None where no run of it ended.
    """

    executions: tuple[int, ...]
    failures: tuple[int, ...]
    p50_ms: float | None
    p95_ms: float | None
    usual: Usual | None = None
    p95_days: tuple[float | None, ...] = ()


def durations(
    context: Context, *, hours: float = 24, width_s: int | None = None, job: str | None = None
) -> Durations:
    """Percentiles of the last hours, of one job or of all.

    Raises:
        BadInput: the hours or the width are out of range (see `windows.window`).
    """
    span = window(hours, width_s)
    with context.read() as connection:
        rows = queries.histograms(
            connection, start=span.start, until=span.until, width=span.width, base_s=span.base_s, job=job
        )
    took: dict[datetime, list[Sequence[int]]] = defaultdict(list)
    waited: dict[datetime, list[Sequence[int]]] = defaultdict(list)
    for row in rows:
        took[row["at"]].append(row["duration_hist"] or ())
        waited[row["at"]].append(row["wait_hist"] or ())
    merged = {at: merge(*took[at]) for at in took}
    waits = {at: merge(*waited[at]) for at in waited}
    all_took, all_waits = merge(*merged.values()), merge(*waits.values())
    return Durations(
        width_s=span.width_s,
        buckets=tuple(_bucket(at, merged.get(at), waits.get(at)) for at in span.moments()),
        p50_ms=percentile(all_took, 0.5),
        p95_ms=percentile(all_took, 0.95),
        wait_p95_ms=percentile(all_waits, 0.95),
    )


def trends(context: Context, *, days: int = TREND_DAYS) -> dict[str, Trend]:
    """The trend of each job that ran in the last days, by its name; today counts as one of them."""
    today = floor(utcnow(), 86_400)
    start = today - timedelta(days=days - 1)
    with context.read() as connection:
        counted = queries.days(connection, start=start)
        histograms = queries.day_histograms(connection, start=start)
    executions: dict[str, list[int]] = defaultdict(lambda: [0] * days)
    failures: dict[str, list[int]] = defaultdict(lambda: [0] * days)
    for row in counted:
        place = (row["day"] - start).days
        if 0 <= place < days:
            executions[row["job"]][place] = row["successes"] + row["failures"]
            failures[row["job"]][place] = row["failures"]
    took: dict[str, list[list[Sequence[int]]]] = defaultdict(lambda: [[] for _ in range(days)])
    for row in histograms:
        place = (row["day"] - start).days
        if 0 <= place < days:
            took[row["job"]][place].append(row["duration_hist"] or ())
    found = {}
    for job in executions:
        by_day = [merge(*counts) for counts in took[job]]
        merged = merge(*by_day)
        found[job] = Trend(
            executions=tuple(executions[job]),
            failures=tuple(failures[job]),
            p50_ms=percentile(merged, 0.5),
            p95_ms=percentile(merged, 0.95),
            usual=Usual.of(merged),
            p95_days=tuple(percentile(counts, 0.95) for counts in by_day),
        )
    return found


def usuals(
    connection: Connection, jobs: Collection[str] | None = None, *, days: int = TREND_DAYS
) -> dict[str, Usual]:
    """How long runs took in the last days, by job, of some jobs or of each; without those that had none."""
    start = floor(utcnow(), 86_400) - timedelta(days=days - 1)
    rows = queries.day_histograms(connection, start=start, jobs=jobs)
    known = {job: Usual.of(merge(*counts)) for job, counts in _by_job(rows).items()}
    return {job: usual for job, usual in known.items() if usual is not None}


def _by_job(rows: Sequence[Row]) -> dict[str, list[Sequence[int]]]:
    found: dict[str, list[Sequence[int]]] = defaultdict(list)
    for row in rows:
        found[row["job"]].append(row["duration_hist"] or ())
    return found


def _bucket(at: datetime, took: Sequence[int] | None, waits: Sequence[int] | None) -> DurationBucket:
    if took is None or waits is None:
        return DurationBucket(at, 0, None, None, None, None)
    return DurationBucket(
        at=at,
        runs=sum(took),
        p10_ms=percentile(took, 0.1),
        p50_ms=percentile(took, 0.5),
        p95_ms=percentile(took, 0.95),
        wait_p95_ms=percentile(waits, 0.95),
    )
