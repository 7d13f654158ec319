"""How queues and jobs came to where they are, where a backlog goes, and what runs waited for."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.control.reads.backlog import Backlog
from callboard.control.reads.waits import Waits
from callboard.core.health import Point, Trend, Usual
from callboard.core.health.waits import EXPLAINED

_FORECAST: dict[str, Any] = {
    "at": "2026-01-24T10:00:00Z",
    "depth": 240,
    "perSecond": 1.2,
    "drainsInSeconds": None,
    "crossesLimitInSeconds": None,
    "text": "At the pace of the last 15 min, the backlog grows by 1.2 a second; it is above its limit of 100"
    " already.",
}


class UsualBody(Body):
    """What is usual at that weekday and hour: medians of the weeks before, null where too few are known."""

    finished: float | None
    failure_rate: float | None
    duration_p95_ms: float | None
    wait_p95_ms: float | None


class PointBody(Body):
    """What ended within one bucket of time that begins `at`. Percentiles in ms, null without data."""

    at: datetime
    finished: int
    failed: int
    failure_rate: float | None
    duration_p50_ms: float | None
    duration_p95_ms: float | None
    duration_p99_ms: float | None
    wait_p50_ms: float | None
    wait_p95_ms: float | None
    wait_p99_ms: float | None
    usual: UsualBody

    @classmethod
    def of(cls, found: Point, usual: Usual) -> "PointBody":
        """The body for a point, and what is usual there."""
        told = UsualBody(**{name: getattr(usual, name) for name in UsualBody.model_fields})
        fields = {name: getattr(found, name) for name in cls.model_fields if name != "usual"}
        return cls(**fields, usual=told)


class ChangeBody(Body):
    """One figure now and in the window before."""

    figure: str
    now: float | None
    before: float | None
    direction: Annotated[str, Field(description="`rising`, `falling`, `steady` or `unknown`.")]


class PointsBody(Body):
    """Figures over time, the oldest first, and against the window before."""

    window: str
    points: list[PointBody]
    changes: list[ChangeBody]

    @staticmethod
    def parts(window: str, found: Trend) -> dict[str, Any]:
        """The fields for a trend."""
        changes = [
            ChangeBody(figure=each.figure, now=each.now, before=each.before, direction=each.direction)
            for each in found.changes
        ]
        points = [PointBody.of(each, usual) for each, usual in zip(found.points, found.usual, strict=True)]
        return {"window": window, "points": points, "changes": changes}


class TrendBody(PointsBody):
    """How a queue came to where it is."""

    queue: str

    @classmethod
    def of(cls, queue: str, window: str, found: Trend) -> "TrendBody":
        """The body for a queue's trend."""
        return cls(queue=queue, **cls.parts(window, found))


class JobTrendBody(PointsBody):
    """How a job came to where it is."""

    job: str

    @classmethod
    def of(cls, job: str, window: str, found: Trend) -> "JobTrendBody":
        """The body for a job's trend."""
        return cls(job=job, **cls.parts(window, found))


class DepthBody(Body):
    """How much waited within a span of time that begins `at`, and who was there, on average."""

    at: datetime
    depth: float
    peak: Annotated[int, Field(description="The highest depth.")]
    parked: Annotated[float, Field(description="Held back by a pause, a mutex, a limit or a breaker.")]
    in_flight: Annotated[float, Field(description="Taken by workers, not yet finished.")]
    busy: Annotated[float, Field(description="Threads with work of this queue.")]
    slots: Annotated[float, Field(description="Threads of the workers that serve it.")]
    dead: Annotated[int, Field(description="Dead letters, at most.")]


class ForecastBody(Body):
    """Where a backlog goes, by the pace of its samples of the last 15 minutes."""

    model_config = example(_FORECAST)

    at: datetime
    depth: int
    per_second: Annotated[float, Field(description="How many more wait each second.")]
    drains_in_seconds: Annotated[
        float | None, Field(description="Until nothing waits; null: not within a day.")
    ]
    crosses_limit_in_seconds: Annotated[
        float | None, Field(description="Until it is above its limit; null: not within a day, or already.")
    ]
    text: str


class BacklogBody(Body):
    """How much waited in a queue over time, and where that goes."""

    queue: str
    window: str
    limit: Annotated[int, Field(description="`QUEUE_HEALTH_WAITING_JOBS`.")]
    depths: list[DepthBody]
    forecast: Annotated[
        ForecastBody | None, Field(description="Null where there are too few samples to tell.")
    ]

    @classmethod
    def of(cls, queue: str, window: str, found: Backlog) -> "BacklogBody":
        """The body for a backlog."""
        told = found.forecast
        return cls(
            queue=queue,
            window=window,
            limit=found.limit,
            depths=[DepthBody(**asdict(each)) for each in found.depths],
            forecast=None
            if told is None
            else ForecastBody(
                at=told.at,
                depth=told.depth,
                per_second=told.slope,
                drains_in_seconds=told.drains_s,
                crosses_limit_in_seconds=told.crosses_s,
                text=str(told),
            ),
        )


class WaitPartBody(Body):
    """One part of the wait of a queue's runs."""

    part: Annotated[
        str,
        Field(
            description="`lag`, `delay`; held back by `pause`, `mutex`, `limit`, `breaker` or `overlap`, or"
            " `held` where the cause is not known; `worker`, `queue` or `hand`."
        ),
    ]
    explained: str
    mean_ms: Annotated[float, Field(description="Of a run, on average.")]
    share: float


class BlameBody(Body):
    """A job that held threads meanwhile."""

    job: str
    busy_seconds: float
    share: float
    usual_seconds: Annotated[float | None, Field(description="Null where it is not known.")]
    excess_seconds: float | None


class WaitsBody(Body):
    """What the runs of a queue waited for, and which jobs held the threads, the worst first."""

    queue: str
    window: str
    runs: Annotated[int, Field(description="Those whose wait is known.")]
    parts: list[WaitPartBody]
    blame: list[BlameBody]

    @classmethod
    def of(cls, queue: str, window: str, found: Waits) -> "WaitsBody":
        """The body for waits."""
        return cls(
            queue=queue,
            window=window,
            runs=found.runs,
            parts=[
                WaitPartBody(
                    part=each.part,
                    explained=EXPLAINED[each.part],
                    mean_ms=round(each.mean_ms, 1),
                    share=round(each.share, 4),
                )
                for each in found.parts
            ],
            blame=[
                BlameBody(
                    job=each.job,
                    busy_seconds=round(each.busy_s, 3),
                    share=round(each.share, 4),
                    usual_seconds=each.usual_s,
                    excess_seconds=each.excess_s,
                )
                for each in found.blame
            ],
        )
