"""Jobs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.control.reads.jobs import Job, Stats

HEALTH_CHECK: dict[str, Any] = {
    "name": "health-check",
    "schedule": "*/5 * * * *",
    "enabled": True,
    "timeout": 30,
    "retries": 1,
    "description": "Monitor system health and uptime",
    "category": "monitoring",
}


STATS = {
    "totalRuns": 288,
    "successfulRuns": 286,
    "failedRuns": 2,
    "successRate": 99.31,
    "avgDuration": 1234,
    "minDuration": 801,
    "maxDuration": 4410,
    "lastRun": "2026-01-24T10:00:00Z",
    "lastSuccess": "2026-01-24T10:00:00Z",
    "lastFailure": "2026-01-22T03:15:02Z",
}


class JobInfo(Body):
    """A job's configuration."""

    model_config = example(HEALTH_CHECK)

    name: str
    schedule: Annotated[
        str | None, Field(description="Cron expression; several are joined by `; `; null without a schedule.")
    ]
    enabled: Annotated[bool, Field(description="Whether it is switched on now.")]
    timeout: Annotated[
        float | int | None,
        Field(description="The most seconds that one attempt may take; null without a limit."),
    ]
    retries: Annotated[
        int | None, Field(description="Attempts in all, the first included; null without a limit.")
    ]
    description: str | None
    category: str | None

    @classmethod
    def of(cls, job: Job) -> "JobInfo":
        """The configuration of a job."""
        return cls(**_info(job))


class JobStats(Body):
    """What became of a job's runs in the last days."""

    model_config = example(STATS)

    total_runs: int
    successful_runs: int
    failed_runs: int
    success_rate: Annotated[float | None, Field(description="Per cent; null where nothing ran.")]
    avg_duration: Annotated[int | None, Field(description="Milliseconds.")]
    min_duration: Annotated[int | None, Field(description="Milliseconds.")]
    max_duration: Annotated[int | None, Field(description="Milliseconds.")]
    last_run: datetime | None
    last_success: datetime | None
    last_failure: datetime | None

    @classmethod
    def of(cls, stats: Stats) -> "JobStats":
        """The body for figures."""
        return cls(
            total_runs=stats.executions,
            successful_runs=stats.successes,
            failed_runs=stats.failures,
            success_rate=stats.success_rate,
            avg_duration=None if stats.average_ms is None else round(stats.average_ms),
            min_duration=stats.minimum_ms,
            max_duration=stats.maximum_ms,
            last_run=stats.last_run_at,
            last_success=stats.last_success_at,
            last_failure=stats.last_failure_at,
        )


class JobSchedule(Body):
    """One of a job's schedules."""

    expr: str
    timezone: str
    words: Annotated[str, Field(description="The expression in plain English.")]
    enabled: bool
    next_run: datetime | None


class JobDetail(JobInfo):
    """A job with its state and its figures."""

    model_config = example(
        HEALTH_CHECK
        | {
            "queue": "default",
            "state": "idle",
            "mark": "ok",
            "scheduleDescription": "Every 5 minutes",
            "schedules": [
                {
                    "expr": "*/5 * * * *",
                    "timezone": "UTC",
                    "words": "Every 5 minutes",
                    "enabled": True,
                    "nextRun": "2026-01-24T10:05:00Z",
                }
            ],
            "nextRun": "2026-01-24T10:05:00Z",
            "lastRun": "2026-01-24T10:00:00Z",
            "lastStatus": "succeeded",
            "running": 0,
            "pending": 0,
            "stats": STATS,
        }
    )

    queue: str
    state: Literal["running", "queued", "idle", "disabled"]
    mark: Annotated[
        Literal["ok", "warning", "bad", "none"],
        Field(description="By success rate: ok from 95 %, warning from 80 %, else bad; none without data."),
    ]
    schedule_description: str
    schedules: list[JobSchedule]
    next_run: datetime | None
    last_run: datetime | None
    last_status: str | None
    running: int
    pending: int
    stats: JobStats

    @classmethod
    def of(cls, job: Job) -> "JobDetail":
        """The body for a job."""
        return cls(
            **_info(job),
            queue=job.queue,
            state=job.state,
            mark=job.stats.mark,
            schedule_description=job.schedule_words,
            schedules=[
                JobSchedule(
                    expr=each.expr,
                    timezone=each.tz,
                    words=each.words,
                    enabled=each.enabled,
                    next_run=each.next_at,
                )
                for each in job.schedules
            ],
            next_run=job.next_run_at,
            last_run=job.last_run.started_at if job.last_run else None,
            last_status=job.last_run.state if job.last_run else None,
            running=job.running,
            pending=job.pending,
            stats=JobStats.of(job.stats),
        )


class JobList(Body):
    """All jobs, and how many there are in each category."""

    model_config = example(
        {
            "total": 17,
            "jobs": [HEALTH_CHECK],
            "categories": {"monitoring": 1, "opportunities": 2, "promotions": 3},
        }
    )

    total: int
    jobs: list[JobInfo]
    categories: dict[str, int]


def _info(job: Job) -> dict[str, Any]:
    return {
        "name": job.name,
        "schedule": job.schedule,
        "enabled": job.enabled,
        "timeout": job.timeout_s,
        "retries": job.max_attempts,
        "description": job.description,
        "category": job.category,
    }
