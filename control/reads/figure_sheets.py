"""What the charts show, as tables to take along: figures over time, what is to come, and causes, as CSV."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import zip_longest

from callboard.control.context import Context
from callboard.control.reads import backlog, calendar, collisions, health_trends, schedules, trends, waits
from callboard.control.reads.spans import Span
from callboard.core.clock import utcnow
from callboard.core.collisions import Collision
from callboard.core.health import Point, Usual
from callboard.core.health.waits import PARTS
from callboard.core.sheets import records


def outcomes_sheet(context: Context, *, hours: float, job: str | None = None) -> str:
    """What became of all runs or those of a job, a row each span of time, the oldest first."""
    return records(trends.OutcomeBucket, trends.outcomes(context, hours=hours, job=job).buckets)


@dataclass(frozen=True, slots=True)
class Compared(Point):
    """The figures of a span of time, and what is usual for it; None where that is not known."""

    usual: Usual | None


def trend_sheet(context: Context, queue: str, job: str | None, span: Span) -> str:
    """How a queue does, or one of its jobs, and what is usual: a row each span of time, the oldest first."""
    if job is None:
        trend = health_trends.queue_trend(context, queue, span)
    else:
        trend = health_trends.job_trend(context, job, span)
    names = [field.name for field in fields(Point)]
    return records(
        Compared,
        (
            Compared(**{name: getattr(point, name) for name in names}, usual=usual)
            for point, usual in zip_longest(trend.points, trend.usual)
        ),
    )


def backlog_sheet(context: Context, queue: str, span: Span) -> str:
    """What waited in a queue and how many threads were there, a row each span of time, the oldest first."""
    return records(backlog.Depth, backlog.queue_backlog(context, queue, span).depths)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that runs waited for, or one job that held the threads meanwhile, with its share (0 to 1).

    `mean_ms` is what a run waited for it on average, `busy_s` for how long it held threads.
    """

    what: str
    name: str
    share: float
    mean_ms: float | None = None
    busy_s: float | None = None
    usual_s: float | None = None


def waits_sheet(context: Context, queue: str, span: Span) -> str:
    """What the runs of a queue waited for, and then which jobs held its threads."""
    found = waits.queue_waits(context, queue, span)
    return records(
        Cause,
        [
            *(Cause("wait", PARTS[each.part], each.share, mean_ms=each.mean_ms) for each in found.parts),
            *(
                Cause("threads", each.job, each.share, busy_s=each.busy_s, usual_s=each.usual_s)
                for each in found.blame
            ),
        ],
    )


@dataclass(frozen=True, slots=True)
class Meeting:
    """One collision, and the queues whose workers have too few threads for it."""

    queues: str
    collision: Collision


def collisions_sheet(context: Context) -> str:
    """Where in the coming week more runs want a thread than there are, the worst of each pool first."""
    return records(
        Meeting,
        (
            Meeting(", ".join(week.queues), each)
            for week in collisions.collisions(context)
            for each in week.collisions
        ),
    )


@dataclass(frozen=True, slots=True)
class Falling:
    """A schedule on a day of the coming week: how often it falls due, the first and the last time."""

    day: date
    name: str
    job: str
    expr: str
    tz: str
    slots: int
    first: datetime
    last: datetime


def calendar_sheet(context: Context, tz: str) -> str:
    """The coming week, a row each day (of that zone) and schedule, in the order in which they fall due."""
    return records(
        Falling,
        (
            Falling(
                day.day,
                each.schedule.name,
                each.schedule.job,
                each.schedule.expr,
                each.schedule.tz,
                each.count,
                each.first,
                each.last,
            )
            for day in calendar.coming_days(schedules.schedules(context), tz, utcnow())
            for each in day.fires
        ),
    )
