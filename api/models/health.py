"""The health of queues, and the state of the whole."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from callboard.api.models.admin import SummaryBody
from callboard.api.models.base import Body, example
from callboard.api.models.control import BreakerBody
from callboard.api.models.jobs import JobStats
from callboard.control.reads.health import QueueHealth
from callboard.control.reads.jobs import Job
from callboard.core.health import Bottleneck

_BOTTLENECK: dict[str, Any] = {
    "queue": "default",
    "type": "queue_backlog",
    "severity": "high",
    "cause": "capacity",
    "evidence": "32 threads were busy 97% of the time: arrivals 42/s, capacity 35/s.",
    "since": "2026-01-24T09:52:10Z",
}
_ADVICE: dict[str, Any] = {
    "cause": "capacity",
    "text": "Arrivals 42/s, capacity 35/s: 3 more workers of 8 threads clear the backlog in 10 min.",
    "workers": 3,
}
_QUEUE: dict[str, Any] = {
    "queue": "default",
    "status": "degraded",
    "healthScore": 0.78,
    "note": None,
    "deductions": [
        {"reason": "wait", "amount": 0.22, "evidence": "The oldest run that is due waits for 1 min 38 s."}
    ],
    "metrics": {
        "waiting": 240, "parked": 0, "oldestDueMs": 98_000, "workers": 4, "threads": 32, "utilisation": 0.97,
        "finished": 31_500, "failed": 12, "failureRate": 0.0004, "retried": 30, "arrivalsPerSecond": 42.0,
        "capacityPerSecond": 35.0, "waitP95Ms": 61_000.0, "durationP95Ms": 1_400.0, "drainSeconds": None,
        "largestBacklog": 2_520.0,
    },
    "bottlenecks": [_BOTTLENECK],
    "recommendations": [_ADVICE],
}  # fmt: skip


class DeductionBody(Body):
    """What one thing costs a queue's score, and why."""

    reason: str
    amount: float
    evidence: str


class BottleneckBody(Body):
    """What holds a queue up; the first one of a queue is the verdict."""

    model_config = example(_BOTTLENECK)

    queue: str
    type: Annotated[
        str, Field(description="`queue_backlog`, `high_failure_rate`, `slow_processing` or `high_wait_time`.")
    ]
    severity: Annotated[str, Field(description="`critical`, `high`, `medium` or `low`.")]
    cause: str
    evidence: str
    since: datetime | None

    @classmethod
    def of(cls, found: Bottleneck) -> "BottleneckBody":
        """The body for a finding."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class RecommendationBody(Body):
    """One thing to do."""

    model_config = example(_ADVICE)

    cause: str
    text: str
    workers: Annotated[int | None, Field(description="Processes more that it takes.")]


class QueueMetrics(Body):
    """What a queue is judged by: the present, and the last 15 minutes."""

    waiting: int
    parked: int
    oldest_due_ms: float
    workers: int
    threads: int
    utilisation: float
    finished: int
    failed: int
    failure_rate: float
    retried: int
    arrivals_per_second: float
    capacity_per_second: float | None
    wait_p95_ms: float | None
    duration_p95_ms: float | None
    drain_seconds: Annotated[float | None, Field(description="Null: the backlog does not drain.")]
    largest_backlog: Annotated[float, Field(description="That still keeps the objective for waits.")]


class QueueHealthBody(Body):
    """How well a queue does, and why."""

    model_config = example(_QUEUE)

    queue: str
    status: Annotated[str, Field(description="`healthy`, `degraded`, `critical` or `unknown`.")]
    health_score: Annotated[
        float | None, Field(description="0 to 1; null where too little ran to tell: then `note` says so.")
    ]
    note: str | None
    deductions: list[DeductionBody]
    metrics: QueueMetrics
    bottlenecks: list[BottleneckBody]
    recommendations: list[RecommendationBody]

    @classmethod
    def of(cls, found: QueueHealth) -> "QueueHealthBody":
        """The body for a queue."""
        facts = found.facts
        return cls(
            queue=found.name,
            status=found.status,
            health_score=None if found.score.value is None else round(found.score.value, 4),
            note=found.score.note,
            deductions=[
                DeductionBody(reason=each.reason, amount=round(each.amount, 4), evidence=each.evidence)
                for each in found.score.deductions
            ],
            metrics=QueueMetrics(
                waiting=facts.depth,
                parked=facts.parked,
                oldest_due_ms=facts.oldest_due_ms,
                workers=facts.workers,
                threads=facts.slots,
                utilisation=facts.utilisation,
                finished=facts.finished,
                failed=facts.failed,
                failure_rate=facts.failure_rate,
                retried=facts.retried,
                arrivals_per_second=facts.arrivals,
                capacity_per_second=facts.capacity,
                wait_p95_ms=facts.wait_p95_ms,
                duration_p95_ms=facts.duration_p95_ms,
                drain_seconds=found.drain_s,
                largest_backlog=found.largest_backlog,
            ),
            bottlenecks=[BottleneckBody.of(each) for each in found.bottlenecks],
            recommendations=[
                RecommendationBody(cause=each.cause, text=each.text, workers=each.workers)
                for each in found.recommendations
            ],
        )


class QueueHealthList(Body):
    """All queues."""

    queues: list[QueueHealthBody]


class BottleneckList(Body):
    """What holds queues up."""

    bottlenecks: list[BottleneckBody]


class RecommendationList(Body):
    """What to do about a queue."""

    queue: str
    recommendations: list[RecommendationBody]


class JobStatsEntry(Body):
    """One job, and what became of its runs in the last 30 days."""

    name: str
    enabled: bool
    status: Annotated[str, Field(description="`running`, `queued`, `idle` or `disabled`.")]
    schedule: str | None
    next_run: datetime | None
    stats: JobStats

    @classmethod
    def of(cls, job: Job) -> "JobStatsEntry":
        """The body for a job."""
        return cls(
            name=job.name,
            enabled=job.enabled,
            status=job.state,
            schedule=job.schedule,
            next_run=job.next_run_at,
            stats=JobStats.of(job.stats),
        )


class JobStatsList(Body):
    """All jobs, and the figures over them."""

    total: int
    summary: SummaryBody
    jobs: list[JobStatsEntry]


class StatusOverview(Body):
    """The whole: jobs, queues, breakers, bottlenecks."""

    status: Annotated[str, Field(description="Of the worst queue; `degraded` where a breaker is open.")]
    jobs: SummaryBody
    queues: list[QueueHealthBody]
    circuit_breakers: list[BreakerBody]
    bottlenecks: list[BottleneckBody]


class Cleanup(Body):
    """The clean-up that was asked for."""

    success: bool = True
    job_name: str
    run_ids: list[str]
    message: str
