"""How much waits in queues over time, from their samples, and where that is going."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callboard.control.context import Context
from callboard.control.reads.health import check_queue
from callboard.control.reads.spans import SAMPLED_S, Span, grid
from callboard.core.clock import utcnow
from callboard.core.health import Forecast, forecast
from callboard.storage.queries import samples as queries
from callboard.storage.queue_facts import thresholds
from callboard.storage.retention import HOUR_DAYS

#: The time that the pace of a backlog is taken from.
PACE = timedelta(minutes=15)
#: Seconds after which the last sample says nothing of the present.
STALE_S = 60.0


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue within a span of time that begins `at`, on average of its samples.

    `depth` is how many runs waited, `peak` at most; `parked` how many were held back, `in_flight` taken by
    workers, `busy` how many threads had its work and `slots` how many threads serve it; `dead` how many dead
    letters there were at most.
    """

    at: datetime
    depth: float
    peak: int
    parked: float
    in_flight: float
    busy: float
    slots: float
    dead: int

    @property
    def utilisation(self) -> float | None:
        """The share (0 to 1) of the threads that had its work; None where there was none."""
        return min(1.0, self.busy / self.slots) if self.slots else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """The depths of a queue in buckets of `width_s`, those without a sample left out, and the forecast.

    `limit` is the depth from which on it counts as too much, `kept_s` for how long samples are kept.
    """

    start: datetime
    width_s: int
    depths: tuple[Depth, ...]
    limit: int
    kept_s: float
    forecast: Forecast | None


def queue_backlog(context: Context, name: str, span: Span = "day") -> Backlog:
    """The backlog of a queue over the last hour, day, week or 90 days.

    Raises:
        NotFound: no declared job has a queue of that name.
        BadInput: the span is none of these.
        Unavailable: PostgreSQL does not answer.
    """
    wanted, now = grid(span), utcnow()
    width = timedelta(seconds=SAMPLED_S[span])
    limit = thresholds(context.settings).waiting_jobs
    with context.read() as connection:
        check_queue(connection, name)
        rows = queries.depths(connection, width=width, start=wanted.start, queue=name)
        samples = queries.lately(connection, name, start=now - PACE)
    fresh = bool(samples) and (now - samples[-1][0]).total_seconds() <= STALE_S
    return Backlog(
        start=wanted.start,
        width_s=SAMPLED_S[span],
        depths=tuple(
            Depth(**{name: value for name, value in row.items() if name != "queue"}) for row in rows
        ),
        limit=limit,
        kept_s=_kept_s(context, width),
        forecast=forecast(samples, limit) if fresh else None,
    )


def _kept_s(context: Context, width: timedelta) -> float:
    """For how long that is kept which buckets of that width are made of."""
    if queries.by_hour(width):
        return HOUR_DAYS * 86_400.0
    return context.settings.queue_health_retention_period / 1000


def depths(context: Context, *, hours: float = 1, width_s: int = 120) -> Mapping[str, tuple[int, ...]]:
    """By queue: the most that waited in each span of that width over the last hours, the oldest first.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    start = utcnow() - timedelta(hours=hours)
    with context.read() as connection:
        rows = queries.depths(connection, width=timedelta(seconds=width_s), start=start)
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[row["queue"]].append(row["peak"])
    return {queue: tuple(peaks) for queue, peaks in found.items()}
