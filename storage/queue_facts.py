"""The facts that a queue's health is judged by, from PostgreSQL and Redis."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from sqlalchemy import Connection

from callboard.core.health import Facts, JobFacts, Recent, Thresholds
from callboard.core.histogram import merge, percentile
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.storage.clocks import database_time
from callboard.storage.queries import Row
from callboard.storage.queries import health as queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.samples import Sample, take_samples

#: The window that is judged, and the time before it that says what is usual.
WINDOW = timedelta(minutes=15)
BASELINE = timedelta(hours=24)
#: Runs below which a baseline says nothing, and seconds below which a growth does not.
ENOUGH = 20
SHORTEST_S = 30.0


def thresholds(settings: Settings) -> Thresholds:
    """The thresholds that the settings name."""
    return Thresholds(
        score=settings.queue_health_alert_threshold,
        failure_rate=settings.queue_health_failure_rate,
        waiting_jobs=settings.queue_health_waiting_jobs,
        processing_ms=settings.queue_health_processing_time,
    )


def load_facts(connection: Connection, client: Redis, keys: Keys, silence_ms: int) -> list[Facts]:
    """The facts of every queue of a declared job, by name."""
    now = database_time(connection)
    names = job_queries.queues(connection)
    start = (now - WINDOW).replace(second=0, microsecond=0)
    hour = start.replace(minute=0)
    window = _by_queue(queries.cells(connection, width_s=60, start=start, until=now))
    before = _by_queue(queries.cells(connection, width_s=60, start=start - WINDOW, until=start))
    usual = _by_queue(queries.cells(connection, width_s=3600, start=hour - BASELINE, until=hour))
    sampled = queries.sampled(connection, names, start=start, day=now - BASELINE)
    opened = _open_breakers(client, keys, queries.breakers(connection))
    return [
        _facts(
            sample, now, start, window[sample.queue], before[sample.queue],
            (usual[sample.queue], hour), sampled.get(sample.queue), opened.get(sample.queue),
        )
        for sample in take_samples(client, keys, names, silence_ms)
    ]  # fmt: skip


def load_recent(connection: Connection) -> list[Recent]:
    """What became of each job's last runs: some twenty, of at most the last 24 hours."""
    since = database_time(connection) - BASELINE
    return [Recent(**row) for row in queries.last_runs(connection, since=since, enough=ENOUGH)]


def _by_queue(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["queue"]].append(row)
    return found


def _open_breakers(client: Redis, keys: Keys, rows: Sequence[Row]) -> dict[str, str]:
    redis: Any = client
    names = sorted({row["breaker"] for row in rows})
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.hget(keys.breaker(name), "state")
        states = dict(zip(names, pipeline.execute(), strict=True))
    return {row["queue"]: row["breaker"] for row in rows if states[row["breaker"]] == b"open"}


def _facts(
    sample: Sample,
    now: datetime,
    start: datetime,
    window: list[Row],
    before: list[Row],
    usual: tuple[list[Row], datetime],
    sampled: Row | None,
    breaker: str | None,
) -> Facts:
    window_s = max(1.0, (now - start).total_seconds())
    jobs = _jobs(window, *usual)
    rates = [each.baseline_rate for each in jobs if each.baseline_rate is not None]
    growth, dead, since = 0.0, 0, None
    if sampled is not None and sampled["first_at"] is not None:
        seconds = (now - sampled["first_at"]).total_seconds()
        growth = (sample.depth - sampled["first_depth"]) / seconds if seconds >= SHORTEST_S else 0.0
        dead = sample.dead - sampled["first_dead"]
        since = sampled["since"] if sample.depth else None
    return Facts(
        sample.queue,
        window_s,
        finished=_sum(window, "finished"),
        failed=_sum(window, "failed"),
        started=_sum(window, "started"),
        starts_before=_sum(before, "started"),
        retried=_sum(window, "retried"),
        wait_p95_ms=percentile(merge(*(row["wait_hist"] for row in window)), 0.95),
        duration_p95_ms=percentile(merge(*(row["duration_hist"] for row in window)), 0.95),
        jobs=jobs,
        baseline_rate=sum(rates) if rates else None,
        depth=sample.depth,
        parked=sample.parked,
        oldest_due_ms=sample.oldest_due_ms,
        growth=growth,
        dead_growth=dead,
        workers=sample.workers,
        slots=sample.slots,
        paused=sample.paused,
        breaker=breaker,
        since=since,
    )


def _jobs(window: list[Row], usual: list[Row], until: datetime) -> tuple[JobFacts, ...]:
    now: dict[str, list[Row]] = defaultdict(list)
    then: dict[str, list[Row]] = defaultdict(list)
    for rows, jobs in ((window, now), (usual, then)):
        for row in rows:
            jobs[row["job"]].append(row)
    begun = min((row["bucket"] for row in usual), default=until)
    seconds = (until - begun).total_seconds()
    found = []
    for job, rows in sorted(now.items()):
        count = _sum(then[job], "finished")
        known = count >= ENOUGH and seconds > 0
        found.append(
            JobFacts(
                job,
                _sum(rows, "finished"),
                sum(row["busy_ms"] for row in rows) / 1000,
                p95_ms=_p95(rows),
                baseline_p95_ms=_p95(then[job]) if known else None,
                baseline_rate=count / seconds if known else None,
            )
        )
    return tuple(found)


def _p95(rows: list[Row]) -> float | None:
    return percentile(merge(*(row["duration_hist"] for row in rows)), 0.95)


def _sum(rows: list[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows)
