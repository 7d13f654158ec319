"""The coming week of all schedules: how many threads they want in each minute, and how many there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from callboard.control.context import Context, reaching_redis
from callboard.control.reads.durations import usuals
from callboard.control.reads.jobs import cron_of
from callboard.core.anomalies import Usual
from callboard.core.clock import utcnow
from callboard.core.collisions import Collision, Plan, Week, week_of
from callboard.core.errors import BadSchedule
from callboard.core.week import MINUTE, WEEK_MINUTES
from callboard.storage.pools import Pool, list_pools
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries

#: What a run is taken to last whose job has no history, in ms.
UNKNOWN_MS = 1_000
HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Hour:
    """The highest demand for threads within an hour that begins `at`."""

    at: datetime
    peak: int


@dataclass(frozen=True, slots=True)
class PoolWeek:
    """The coming week of queues that share workers; `workers` is 0 where none of them is alive."""

    queues: tuple[str, ...]
    workers: int
    threads: int
    week: Week

    @property
    def collisions(self) -> tuple[Collision, ...]:
        """Where more runs want a thread than there are, the worst first."""
        return self.week.collisions

    def hours(self) -> tuple[Hour, ...]:
        """The demand by the hour of the clock in UTC; the first and the last hour may be cut."""
        skip = self.week.start.minute
        edges = [0, *range(HOUR_MINUTES - skip, WEEK_MINUTES, HOUR_MINUTES), WEEK_MINUTES]
        return tuple(
            Hour(self.week.start + begin * MINUTE, max(self.week.demand[begin:end]))
            for begin, end in pairwise(edges)
        )


def collisions(context: Context) -> tuple[PoolWeek, ...]:
    """The coming week, by queues that share workers, from the minute that is.

    Durations are the 95th percentiles of the last days. Queues that nobody serves come together, at the end.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    start = utcnow().replace(second=0, microsecond=0)
    with context.read() as connection:
        jobs = {row["name"]: row for row in job_queries.jobs(connection)}
        schedules = job_queries.schedules(connection)
        usual = usuals(connection)
    with reaching_redis():
        pools = list_pools(context.redis, context.keys, context.settings.callboard_worker_timeout)
    plans: dict[str, list[Plan]] = defaultdict(list)
    for row in schedules:
        job = jobs.get(row["job_name"])
        if job is not None and job["enabled"] and row["enabled"]:
            plans[job["queue"]] += _plan(row, job, usual)
    return tuple(_weeks(plans, pools, start))


def _plan(row: Row, job: Row, usual: Mapping[str, Usual]) -> list[Plan]:
    known = usual.get(job["name"])
    try:
        schedule = cron_of(row["expr"], row["tz"])
    except BadSchedule:
        return []
    took_ms = known.p95_ms if known is not None else UNKNOWN_MS
    mutex = (job["options"] or {}).get("mutex")
    # One that is named by arguments does not keep all runs of the job apart.
    return [Plan(job["name"], schedule, took_ms, alone=bool(mutex) and "{" not in str(mutex))]


def _weeks(plans: Mapping[str, Sequence[Plan]], pools: Sequence[Pool], start: datetime) -> list[PoolWeek]:
    served = frozenset[str]().union(*(pool.queues for pool in pools))
    found = []
    for pool in pools:
        queues = tuple(sorted(pool.queues & plans.keys()))
        if queues:
            shared = [plan for queue in queues for plan in plans[queue]]
            week = week_of(shared, pool.threads or None, start)
            found.append(PoolWeek(queues, pool.workers, pool.threads, week))
    unserved = tuple(sorted(plans.keys() - served))
    if unserved:
        shared = [plan for queue in unserved for plan in plans[queue]]
        found.append(PoolWeek(unserved, 0, 0, week_of(shared, None, start)))
    return found
