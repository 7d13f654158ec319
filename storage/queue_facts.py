"""The facts that a queue's health is judged by, from PostgreSQL and Redis."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from redis import Redis
from sqlalchemy import Connection

from callboard.core.health import Facts, Held, JobFacts, Minute, Recent, Tally, Thresholds
from callboard.core.health.baseline import usual_p95
from callboard.core.health.together import Failure
from callboard.core.histogram import merge, percentile
from callboard.core.holds import CAUSES
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.storage.clocks import database_time
from callboard.storage.parked import list_held
from callboard.storage.queries import Row
from callboard.storage.queries import health as queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import samples as sample_queries
from callboard.storage.samples import Sample, take_samples

#: The window that is judged, the time before the trouble that says what is usual, and how long (kept samples
#: permitting) a trouble is followed back.
WINDOW = timedelta(minutes=15)
BASELINE = timedelta(hours=24)
LOOKBACK = timedelta(days=3)
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
        wait_ms=settings.queue_health_waiting_time,
    )


def load_facts(connection: Connection, client: Redis, keys: Keys, silence_ms: int) -> list[Facts]:
    """The facts of every queue of a declared job, by name."""
    now = database_time(connection)
    names = job_queries.queues(connection)
    start = (now - WINDOW).replace(second=0, microsecond=0)
    sampled = sample_queries.sampled(connection, names, start=start, day=now - LOOKBACK)
    ends = [_usual_until(start, sampled.get(name)) for name in names]
    first = min(ends, default=start) - BASELINE
    minutes = _by_queue(queries.cells(connection, width_s=60, start=start - WINDOW, until=now))
    hours = _by_queue(queries.cells(connection, width_s=3600, start=first, until=start.replace(minute=0)))
    held = list_held(client, keys)
    return [
        facts_of(
            sample, now, start, minutes, hours, sampled.get(sample.queue), tuple(held.get(sample.queue, ()))
        )
        for sample in take_samples(client, keys, names, silence_ms)
    ]


def load_recent(connection: Connection) -> list[Recent]:
    """What became of each job's last runs: some twenty, of at most the last 24 hours."""
    since = database_time(connection) - BASELINE
    return [Recent(**row) for row in queries.last_runs(connection, since=since, enough=ENOUGH)]


def load_failures(connection: Connection, jobs: Collection[str]) -> list[Failure]:
    """How the last runs of these jobs failed that did, at most ten of each and of the last 24 hours."""
    since = database_time(connection) - BASELINE
    return [Failure(**row) for row in queries.last_failures(connection, jobs, since=since)] if jobs else []


def load_tallies(connection: Connection) -> dict[str, dict[timedelta, Tally]]:
    """What became of each job's runs within several windows up to now, by their lengths."""
    rows = queries.windows(connection, database_time(connection))
    return {
        row["job"]: {
            timedelta(minutes=minutes): Tally(row[f"finished_{minutes}"] or 0, row[f"failed_{minutes}"] or 0)
            for minutes in (5, 30, 60, 360, 4_320)
        }
        for row in rows
    }


def excused_jobs(connection: Connection) -> set[str]:
    """The jobs whose failures need no alert, since that of their circuit breaker tells of them."""
    return queries.excused(connection, database_time(connection))


def _by_queue(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["queue"]].append(row)
    return found


def facts_of(
    sample: Sample,
    now: datetime,
    start: datetime,
    minutes: Mapping[str, list[Row]],
    hours: Mapping[str, list[Row]],
    sampled: Row | None,
    held: tuple[Held, ...],
) -> Facts:
    """The facts of one queue, of a sample of now, and of the rollups of a window that begins at `start`.

    `minutes` are by queue the rollups of that window and of the one before, `hours` those of a longer time,
    of which the ones before the trouble tell what is usual. `sampled` is what was sampled when the window
    began (see `queries.samples.sampled`), `held` what holds runs back.
    """
    window_s = max(1.0, (now - start).total_seconds())
    until = _usual_until(start, sampled)
    if _sum(_usual(hours.get(sample.queue, []), until), "finished") < ENOUGH:
        until = start.replace(minute=0)
    own = minutes.get(sample.queue, [])
    window = [row for row in own if row["bucket"] >= start]
    usual = _usual(hours.get(sample.queue, []), until)
    counted, seconds = _sum(usual, "finished"), _seconds(usual, until)
    neighbours = tuple(
        replace(each, queue=other, busy_s=each.busy_s * share)
        for other, share in sorted(sample.shares.items())
        for each in _jobs(
            [row for row in minutes.get(other, []) if row["bucket"] >= start],
            _usual(hours.get(other, []), until),
            until,
        )
    )
    taken_s = sum(each.busy_s for each in neighbours)
    if not _sum(own, "started") and sample.oldest_due_ms > window_s * 1000:
        # Runs of other queues that go on for longer than a window have not been counted yet.
        taken_s = max(taken_s, sample.taken * window_s)
    growth, dead, since = 0.0, 0, None
    if sampled is not None and sampled["first_at"] is not None:
        between = (now - sampled["first_at"]).total_seconds()
        growth = (sample.depth - sampled["first_depth"]) / between if between >= SHORTEST_S else 0.0
        dead = sample.dead - sampled["first_dead"]
        since = sampled["since"] if sample.depth else None
    return Facts(
        sample.queue,
        window_s,
        finished=_sum(window, "finished"),
        failed=_sum(window, "failed"),
        started=_sum(window, "started"),
        starts_before=_sum(own, "started") - _sum(window, "started"),
        retried=_sum(window, "retried"),
        wait_p95_ms=percentile(merge(*(row["wait_hist"] for row in window)), 0.95),
        duration_p95_ms=percentile(merge(*(row["duration_hist"] for row in window)), 0.95),
        jobs=_jobs(window, usual, until),
        baseline_rate=counted / seconds if counted >= ENOUGH else None,
        usual_mean_s=_mean_s(usual),
        depth=sample.depth,
        parked=sample.parked,
        held=held,
        waited_ms=sum(row["waited_ms"] for row in window),
        held_ms={cause: sum(row[f"held_{cause}_ms"] for row in window) for cause in CAUSES},
        oldest_due_ms=sample.oldest_due_ms,
        growth=growth,
        dead_growth=dead,
        workers=sample.workers,
        slots=sample.slots,
        taken_s=min(taken_s, sample.slots * window_s),
        neighbours=neighbours,
        pool=tuple(sorted(sample.pool)),
        paused=sample.paused,
        paused_at=sample.paused_at,
        since=since,
        minutes=tuple(_minute(row) for row in own),
    )


def _usual_until(start: datetime, sampled: Row | None) -> datetime:
    """The end of the time that tells what is usual: before the window, and before the work began to wait."""
    waiting = sampled["since"] if sampled is not None else None
    return min(start, waiting or start).replace(minute=0, second=0, microsecond=0)


def _usual(hours: list[Row], until: datetime) -> list[Row]:
    return [row for row in hours if until - BASELINE <= row["bucket"] < until]


def _seconds(usual: list[Row], until: datetime) -> float:
    """From the first of these hours to the end."""
    return (until - min((row["bucket"] for row in usual), default=until)).total_seconds()


def _minute(row: Row) -> Minute:
    return Minute(
        row["bucket"],
        row["job"],
        started=row["started"],
        finished=row["finished"],
        failed=row["failed"],
        retried=row["retried"],
        duration=row["duration_hist"],
    )


def _jobs(window: list[Row], usual: list[Row], until: datetime) -> tuple[JobFacts, ...]:
    now: dict[str, list[Row]] = defaultdict(list)
    then: dict[str, list[Row]] = defaultdict(list)
    for rows, jobs in ((window, now), (usual, then)):
        for row in rows:
            jobs[row["job"]].append(row)
    seconds = _seconds(usual, until)
    found = []
    for job, rows in sorted(now.items()):
        count = _sum(then[job], "finished")
        found.append(
            JobFacts(
                job,
                _sum(rows, "finished"),
                sum(row["busy_ms"] for row in rows) / 1000,
                p95_ms=percentile(merge(*(row["duration_hist"] for row in rows)), 0.95),
                baseline_p95_ms=usual_p95([row["duration_hist"] for row in then[job]]),
                baseline_rate=count / seconds if count >= ENOUGH else None,
            )
        )
    return tuple(found)


def _mean_s(rows: list[Row]) -> float | None:
    finished = _sum(rows, "finished")
    return sum(row["busy_ms"] for row in rows) / 1000 / finished if finished >= ENOUGH else None


def _sum(rows: list[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows)
