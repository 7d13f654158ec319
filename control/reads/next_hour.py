"""What is expected to run soon: the next slots of each job, and for how long its runs usually go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callboard.control.reads.durations import Trend
from callboard.control.reads.jobs import Job, cron_of
from callboard.control.reads.runs import Run
from callboard.core.errors import BadSchedule

#: What a run is taken to last whose job has no history.
UNKNOWN = timedelta(seconds=1)
#: At most so many slots of one schedule are looked at.
MOST = 400


@dataclass(frozen=True, slots=True)
class Expected:
    """A run from when to when it is expected to go on; `run` is the one under way, None for one to come."""

    job: str
    start: datetime
    end: datetime
    run: Run | None = None


def expected(
    jobs: Sequence[Job], running: Sequence[Run], trends: Mapping[str, Trend], now: datetime, until: datetime
) -> tuple[Expected, ...]:
    """The runs under way, the longest first, then those that are to come up to a moment, as they come.

    A run that goes on for longer than usual is expected to end now.
    """
    lasting = {job.name: _lasting(trends.get(job.name)) for job in jobs}
    under_way = []
    for run in running:
        begun = run.attempt_started_at or run.started_at
        if begun is not None:
            end = max(now, begun + lasting.get(run.job, UNKNOWN))
            under_way.append(Expected(run.job, begun, end, run))
    to_come = [
        Expected(job.name, at, at + lasting[job.name]) for job in jobs for at in _slots(job, now, until)
    ]
    return (*under_way, *sorted(to_come, key=lambda each: (each.start, each.job)))


def _lasting(trend: Trend | None) -> timedelta:
    usual_ms = trend.p50_ms if trend is not None else None
    return UNKNOWN if usual_ms is None else timedelta(milliseconds=usual_ms)


def _slots(job: Job, now: datetime, until: datetime) -> Iterator[datetime]:
    for schedule in job.schedules if job.enabled else ():
        if schedule.enabled:
            try:
                yield from cron_of(schedule.expr, schedule.tz).between(now, until, limit=MOST)
            except BadSchedule:
                continue
