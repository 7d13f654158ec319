"""The job `weekly-cleanup`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron, progress
from callboard.actors.database import engine
from callboard.core.policies import ANALYTICS, LOW
from callboard.core.settings import load_settings
from callboard.storage import job_retention as runs
from callboard.storage.business.air_leftovers import Leftover, count_leftovers, delete_leftovers
from callboard.storage.samples import count_old_samples, delete_old_samples

#: The jobs whose runs go unless others are named.
JOBS = ("fetch-paris-data", "hourly-aggregations", "daily-statistics", "weekly-cleanup")
#: The days that a place may be without figures of its present day until what is there is removed.
PRESENT_DAYS = 1
#: The least days of measurements, so that whatever days are still to be finalised are whole.
LEAST_MEASUREMENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class Chore:
    """Rows of one kind (and queue, if it is about runs): how many may go, and how a batch of them goes."""

    kind: str
    queue: str | None
    found: int
    remove: Callable[[Connection, int], int]


@dramatiq.actor(
    actor_name="weekly-cleanup",
    description="Clean old queue jobs, logs, and temporary data",
    category="cleanup",
    periodic=cron("0 2 * * 0"),
    time_limit=600_000,
    priority=LOW,
    mutex=True,
    **ANALYTICS,
)
def weekly_cleanup(
    completed_days: int = 7,
    completed_count: int = 1_000,
    failed_days: int = 30,
    failed_count: int = 100,
    logs_days: int = 30,
    metrics_days: int = 90,
    measurements_days: int | None = None,
    jobs: list[str] | None = None,
    queues: list[str] | None = None,
    batch_size: int = 1_000,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Delete what is no longer needed of the air-quality jobs (or of these `jobs`) and of these `queues`.

    Of each job, runs that succeeded or were skipped go after `completed_days`, or when `completed_count`
    later ones are kept, whichever comes first; those that failed or were cancelled likewise. What ended
    within the hour stays, and a dead letter while it can be requeued. Log lines go after `logs_days`, with
    the failures of single items that have been dealt with; figures by the minute and hour, and cached
    reports, after `metrics_days`. Other jobs are not touched: their runs are kept as long as the setting
    CALLBOARD_RETENTION_DAYS says. Measurements stay unless `measurements_days` is given.

    Returns:
        `processed`: the rows deleted; `rows`: the same by kind, those of runs by kind and queue.
    """
    _check(1, completed_days=completed_days, failed_days=failed_days, batch_size=batch_size)
    _check(1, logs_days=logs_days, metrics_days=metrics_days)
    _check(0, completed_count=completed_count, failed_count=failed_count)
    _check(LEAST_MEASUREMENT_DAYS, measurements_days=measurements_days)
    scope = runs.Scope(JOBS if jobs is None else jobs, queues or ())
    kept = runs.Kept(completed_days, completed_count, failed_days, failed_count)
    with engine().connect() as connection:
        chores = [
            *_runs(connection, scope, kept),
            *_figures(connection, scope, logs_days, metrics_days),
            *_leftovers(connection, scope, logs_days, metrics_days, measurements_days),
        ]
    total = sum(chore.found for chore in chores)
    if dry_run:
        counts = [(chore, chore.found) for chore in chores]
        return {"processed": 0, "failed": 0, "found": total, "dry_run": True} | _by_kind(counts)
    done = 0
    counts = []
    for chore in chores:
        removed = _work_off(chore, batch_size, done, total)
        counts.append((chore, removed))
        done += removed
    return {"processed": done, "failed": 0} | _by_kind(counts)


def _check(least: int, **given: int | None) -> None:
    for name, value in given.items():
        if value is not None and value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}.")


def _by_kind(counts: list[tuple[Chore, int]]) -> dict[str, Any]:
    """The counts by kind; those of runs by kind and queue."""
    found: dict[str, Any] = {"completed": {}, "failed_runs": {}}
    for chore, count in counts:
        if chore.queue is None:
            found[chore.kind] = found.get(chore.kind, 0) + count
        else:
            found[chore.kind][chore.queue] = found[chore.kind].get(chore.queue, 0) + count
    return {"rows": found}


def _work_off(chore: Chore, batch_size: int, before: int, total: int) -> int:
    removed, batch = 0, batch_size
    while batch == batch_size:
        with engine().begin() as connection:
            batch = chore.remove(connection, batch_size)
        removed += batch
        progress(before + removed, max(total, before + removed), f"rows removed: {chore.kind}")
    return removed


def _runs(connection: Connection, scope: runs.Scope, kept: runs.Kept) -> Iterator[Chore]:
    for each in runs.surplus_runs(connection, scope, kept):
        kind = "completed" if each.well else "failed_runs"
        yield Chore(kind, each.queue, each.runs, _batch(runs.delete_surplus, each))


def _figures(connection: Connection, scope: runs.Scope, logs_days: int, metrics_days: int) -> Iterator[Chore]:
    lines = runs.count_old_lines(connection, scope, logs_days)
    yield Chore("logs", None, lines, _batch(runs.delete_old_lines, scope, logs_days))
    figures = runs.count_old_figures(connection, scope, metrics_days)
    yield Chore("metrics", None, figures, _batch(runs.delete_old_figures, scope, metrics_days))
    # The scheduler removes these by itself, unless it is told to take none any more.
    age = timedelta(milliseconds=load_settings().queue_health_retention_period)
    yield Chore("metrics", None, count_old_samples(connection, age), _batch(delete_old_samples, age))


def _leftovers(
    connection: Connection,
    scope: runs.Scope,
    logs_days: int,
    metrics_days: int,
    measurements_days: int | None,
) -> Iterator[Chore]:
    for name, kind, days in (
        ("logs", Leftover.FAILURES, logs_days),
        ("temporary", Leftover.REPORTS, metrics_days),
        ("temporary", Leftover.PRESENT_DAYS, PRESENT_DAYS),
        ("measurements", Leftover.MEASUREMENTS, measurements_days),
    ):
        if days is not None:
            found = count_leftovers(connection, kind, days, scope.jobs)
            yield Chore(name, None, found, _batch(delete_leftovers, kind, days, scope.jobs))


def _batch(delete: Callable[..., int], *given: Any) -> Callable[[Connection, int], int]:
    return lambda connection, limit: delete(connection, *given, limit)
