"""Jobs, as an operator sees them: switch, schedules in words, next and last run, and how well they do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from callboard.control.context import Context
from callboard.control.marks import Mark, mark, success_rate
from callboard.control.reads.names import unknown_job
from callboard.core.clock import utcnow
from callboard.core.cron import Cron, cron
from callboard.core.describe import describe
from callboard.core.errors import BadSchedule
from callboard.core.hiding import hide_arguments
from callboard.core.limits import storable
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as queries

#: `running` being executed now, `queued` waiting for a worker, `disabled` switched off, else `idle`.
JobState = Literal["running", "queued", "idle", "disabled"]

#: Figures are counted over this many days unless asked otherwise.
DAYS = 30


@dataclass(frozen=True, slots=True)
class Schedule:
    """One of a job's schedules. `next_at` is None where it is switched off or never fires again.

    Its arguments are without secrets.
    """

    id: int
    key: str
    expr: str
    tz: str
    words: str
    enabled: bool
    origin: str
    next_at: datetime | None
    args: list[Any]
    kwargs: dict[str, Any]
    misfire: str
    misfire_limit: int
    grace_ms: int
    declared_expr: str | None
    declared_tz: str | None
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of a job's runs in a span of days. Durations in ms, the rate in per cent.

    `executions` counts runs that started and ended; `failures` those of them that did not succeed.
    """

    days: int
    executions: int
    successes: int
    failures: int
    skipped: int
    retried: int
    success_rate: float | None
    mark: Mark
    average_ms: float | None
    minimum_ms: int | None
    maximum_ms: int | None
    last_run_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run of a job that started last."""

    run_id: UUID
    state: str
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job. `schedule_words` and `next_run_at` speak for all its schedules together; times are UTC.

    `max_attempts` counts the first one too; None: there is no limit.
    """

    name: str
    queue: str
    category: str | None
    description: str | None
    enabled: bool
    state: JobState
    running: int
    pending: int
    schedules: tuple[Schedule, ...]
    schedule: str | None
    schedule_words: str
    next_run_at: datetime | None
    last_run: LastRun | None
    stats: Stats
    time_limit_ms: int | None
    max_attempts: int | None
    options: Mapping[str, Any]
    signature: tuple[Mapping[str, Any], ...]
    modified_at: datetime | None
    modified_by: str | None
    notes: str | None
    last_seen_at: datetime | None

    @property
    def mutex(self) -> bool:
        """Whether only one run of it may be executed at a time."""
        return bool(self.options.get("mutex"))

    @property
    def timeout_s(self) -> float | int | None:
        """The time limit of one attempt in seconds, whole where it is whole."""
        if self.time_limit_ms is None:
            return None
        seconds = self.time_limit_ms / 1000
        return int(seconds) if seconds == int(seconds) else seconds


def jobs(context: Context, *, category: str | None = None, days: int = DAYS) -> tuple[Job, ...]:
    """All declared jobs, by category and name, with figures of the last `days` days."""
    return _load(context, days=days, category=category)


def job(context: Context, name: str, *, days: int = DAYS) -> Job:
    """One job.

    Raises:
        UnknownJob: no job has that name; the message names those that come close.
    """
    found = _load(context, days=days, name=name)
    if not found:
        raise unknown_job(context, name)
    return found[0]


def categories(found: Sequence[Job]) -> dict[str, int]:
    """The number of jobs in each category, by name; jobs without one count as `other`."""
    counts: dict[str, int] = defaultdict(int)
    for each in found:
        counts[each.category or "other"] += 1
    return dict(sorted(counts.items()))


def _load(
    context: Context, *, days: int, name: str | None = None, category: str | None = None
) -> tuple[Job, ...]:
    now = utcnow()
    with context.read() as connection:
        rows = queries.jobs(connection, job=None if name is None else storable(name), category=category)
        if not rows:
            return ()
        schedules: dict[str, list[Schedule]] = defaultdict(list)
        for row in queries.schedules(connection, job=name):
            schedules[row["job_name"]].append(_schedule(row, now))
        stats = {row["job"]: row for row in queries.stats(connection, since=since(now, days), job=name)}
        live: dict[str, dict[str, int]] = defaultdict(dict)
        for row in queries.live(connection):
            live[row["job"]][row["state"]] = row["runs"]
    return tuple(
        _job(row, tuple(schedules[row["name"]]), stats.get(row["name"]), live[row["name"]], days)
        for row in rows
    )


def since(now: datetime, days: int) -> datetime:
    """The beginning of a span of days that ends now."""
    return now - timedelta(days=days)


def stats_of(row: Row | None, days: int) -> Stats:
    """The figures of one row of rollups; None where there was none."""
    if row is None:
        return Stats(days, 0, 0, 0, 0, 0, None, mark(None), None, None, None, None, None, None)
    executions = row["successes"] + row["failures"]
    rate = success_rate(row["successes"], row["failures"])
    return Stats(
        days=days,
        executions=executions,
        successes=row["successes"],
        failures=row["failures"],
        skipped=row["skipped"],
        retried=row["retried"],
        success_rate=rate,
        mark=mark(rate),
        average_ms=None if row["duration_avg_ms"] is None else round(row["duration_avg_ms"], 1),
        minimum_ms=row["duration_min_ms"],
        maximum_ms=row["duration_max_ms"],
        last_run_at=row["last_run_at"],
        last_success_at=row["last_success_at"],
        last_failure_at=row["last_failure_at"],
    )


def _job(
    row: Row, schedules: tuple[Schedule, ...], stats: Row | None, live: Mapping[str, int], days: int
) -> Job:
    due = [each.next_at for each in schedules if each.next_at is not None]
    last = row["last_run_id"]
    return Job(
        name=row["name"],
        queue=row["queue"],
        category=row["category"],
        description=row["description"],
        enabled=row["enabled"],
        state=_state(enabled=row["enabled"], live=live),
        running=live.get("processing", 0),
        pending=live.get("pending", 0),
        schedules=schedules,
        schedule="; ".join(each.expr for each in schedules) or None,
        schedule_words="; ".join(dict.fromkeys(each.words for each in schedules)) or "No schedule",
        next_run_at=min(due) if due and row["enabled"] else None,
        last_run=None
        if last is None
        else LastRun(
            run_id=last,
            state=row["last_state"],
            started_at=row["last_started_at"],
            finished_at=row["last_finished_at"],
            duration_ms=row["last_duration_ms"],
            error=row["last_error"],
        ),
        stats=stats_of(stats, days),
        time_limit_ms=row["time_limit_ms"],
        max_attempts=row["max_attempts"],
        options=row["options"] or {},
        signature=tuple(row["signature"] or ()),
        modified_at=row["last_modified_at"],
        modified_by=row["last_modified_by"],
        notes=row["notes"],
        last_seen_at=row["last_seen_at"],
    )


def _state(*, enabled: bool, live: Mapping[str, int]) -> JobState:
    if live.get("processing"):
        return "running"
    if not enabled:
        return "disabled"
    return "queued" if live.get("pending") else "idle"


def hidden_arguments(row: Row | Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a row that has its job's `signature` too, without secrets."""
    names = [str(each.get("name", "")) for each in row["signature"] or ()]
    return hide_arguments(row["args"] or [], row["kwargs"] or {}, names)


def _schedule(row: Row, now: datetime) -> Schedule:
    args, kwargs = hidden_arguments(row)
    return Schedule(
        id=row["id"],
        key=row["key"],
        expr=row["expr"],
        tz=row["tz"],
        words=words_of(row["expr"], row["tz"]),
        enabled=row["enabled"],
        origin=row["origin"],
        next_at=next_of(row["expr"], row["tz"], now) if row["enabled"] else None,
        args=args,
        kwargs=kwargs,
        misfire=row["misfire"],
        misfire_limit=row["misfire_limit"],
        grace_ms=row["grace_ms"],
        declared_expr=row["declared_expr"],
        declared_tz=row["declared_tz"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )


@lru_cache(maxsize=4096)
def cron_of(expr: str, tz: str) -> Cron:
    """The schedule of an expression that is known to be one."""
    return cron(expr, tz=tz)


@lru_cache(maxsize=4096)
def words_of(expr: str, tz: str) -> str:
    """A schedule in plain English; as it is written where it makes no sense."""
    try:
        return describe(expr, tz)
    except BadSchedule:
        return expr


def next_of(expr: str, tz: str, now: datetime) -> datetime | None:
    """The next slot after a moment; None where there is none."""
    try:
        return cron_of(expr, tz).next(now)
    except BadSchedule:
        return None
