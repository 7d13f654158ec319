"""What is out of the ordinary, and where schedules collide."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.api.models.runs import RUN_ID
from callboard.control.reads.collisions import PoolWeek
from callboard.core.anomalies import Finding
from callboard.core.collisions import Collision


class AnomalyBody(Body):
    """One thing that is out of the ordinary about a job, of a run or of a slot of it where it is one."""

    model_config = example(
        {
            "kind": "duration",
            "job": "process-achievements",
            "severity": "warning",
            "evidence": "It took 2 min 20 s, 4.9 times the usual 28.6 s: the median of 50 runs.",
            "since": "2026-01-24T04:02:20Z",
            "runId": RUN_ID,
            "slot": None,
            "scheduleId": None,
            "ratio": 4.9,
        }
    )

    kind: Annotated[
        str,
        Field(description="`missed`, `running_long`, `duration`, `suspicious_success` or `too_often`."),
    ]
    job: str
    severity: Annotated[str, Field(description="`warning` or `critical`.")]
    evidence: str
    since: datetime
    run_id: UUID | None
    slot: Annotated[datetime | None, Field(description="When the slot was due.")]
    schedule_id: Annotated[int | None, Field(description="The schedule that the slot is of.")]
    ratio: Annotated[
        float | None, Field(description="What was found to what is usual, where both are amounts.")
    ]

    @classmethod
    def of(cls, found: Finding) -> "AnomalyBody":
        """The body for a finding."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class AnomalyList(Body):
    """Anomalies: the critical first, then the latest first."""

    anomalies: list[AnomalyBody]


class QuieterBody(Body):
    """A minute at which one of the jobs that meet would have a thread each time that it runs."""

    job: str
    minutes: Annotated[int, Field(description="So many minutes later; earlier where it is less than 0.")]
    at: datetime


class CollisionBody(Body):
    """A stretch of minutes in which more runs want a thread than there are, at its worst minute."""

    at: datetime
    minutes: int
    times: Annotated[int, Field(description="How often the same begin together in the week.")]
    demand: Annotated[int, Field(description="Runs that want a thread.")]
    slots: Annotated[int, Field(description="Threads that there are.")]
    jobs: list[str]
    more: Annotated[int, Field(description="Jobs that meet too and are not named.")]
    delay_ms: Annotated[float, Field(description="For about how long the last of them waits.")]
    severity: Annotated[str, Field(description="`warning`, or `critical` where one waits over a minute.")]
    quieter: QuieterBody | None
    evidence: str

    @classmethod
    def of(cls, found: Collision) -> "CollisionBody":
        """The body for a collision."""
        plain = {name: getattr(found, name) for name in cls.model_fields if name != "quieter"}
        moved = found.quieter
        quieter = None if moved is None else QuieterBody(job=moved.job, minutes=moved.minutes, at=moved.at)
        return cls(**plain, quieter=quieter)


class HourBody(Body):
    """The most threads that are wanted at once within an hour."""

    at: datetime
    peak: int


class PoolWeekBody(Body):
    """The coming week of queues that the same workers serve."""

    model_config = example(
        {
            "queues": ["default", "mail"],
            "workers": 2,
            "threads": 16,
            "start": "2026-01-24T10:00:00Z",
            "peak": 19,
            "hours": [{"at": "2026-01-24T10:00:00Z", "peak": 4}, {"at": "2026-01-24T11:00:00Z", "peak": 6}],
            "collisions": [
                {
                    "at": "2026-01-25T08:00:00Z", "minutes": 2, "times": 7, "demand": 19, "slots": 16,
                    "jobs": ["process-opportunity-offers", "send-review-requests"], "more": 17,
                    "delayMs": 41_000.0, "severity": "warning",
                    "quieter": {
                        "job": "process-opportunity-offers", "minutes": 7, "at": "2026-01-25T08:07:00Z",
                    },
                    "evidence": "19 runs want 16 threads for 2 min; the last of them waits about 41.0 s."
                    " process-opportunity-offers, begun 7 min later, would have a thread at once.",
                }
            ],
        }
    )  # fmt: skip

    queues: list[str]
    workers: Annotated[int, Field(description="0: nobody serves them, and nothing can be said to collide.")]
    threads: int
    start: datetime
    peak: int
    hours: list[HourBody]
    collisions: Annotated[list[CollisionBody], Field(description="The worst first, 50 at most.")]

    @classmethod
    def of(cls, found: PoolWeek) -> "PoolWeekBody":
        """The body for a week."""
        return cls(
            queues=list(found.queues),
            workers=found.workers,
            threads=found.threads,
            start=found.week.start,
            peak=found.week.peak,
            hours=[HourBody(at=each.at, peak=each.peak) for each in found.hours()],
            collisions=[CollisionBody.of(each) for each in found.collisions],
        )


class CollisionList(Body):
    """The coming week, by queues that share workers."""

    pools: list[PoolWeekBody]
