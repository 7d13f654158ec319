"""The management API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from callboard.api.models.base import Body, RequestBody, example
from callboard.api.models.jobs import JobDetail, JobStats
from callboard.api.models.runs import RUN_ID, RunBody, RunningJob
from callboard.control.reads.summary import Summary
from callboard.control.reads.trends import TimelineBucket


class SummaryBody(Body):
    """The six figures over all jobs; executions and failures are those of the last 30 days."""

    model_config = example(
        {
            "totalJobs": 17,
            "enabledJobs": 16,
            "disabledJobs": 1,
            "runningJobs": 2,
            "totalExecutions": 1247,
            "totalFailures": 12,
            "overallSuccessRate": 99.04,
        }
    )

    total_jobs: int
    enabled_jobs: int
    disabled_jobs: int
    running_jobs: int
    total_executions: int
    total_failures: int
    overall_success_rate: Annotated[float | None, Field(description="Per cent; null where nothing ran.")]

    @classmethod
    def of(cls, summary: Summary) -> "SummaryBody":
        """The body for a summary."""
        return cls(
            total_jobs=summary.total_jobs,
            enabled_jobs=summary.enabled_jobs,
            disabled_jobs=summary.disabled_jobs,
            running_jobs=summary.running_jobs,
            total_executions=summary.total_executions,
            total_failures=summary.total_failures,
            overall_success_rate=summary.overall_success_rate,
        )


class Overview(Body):
    """All jobs with their figures, and what is running."""

    success: bool = True
    summary: SummaryBody
    jobs: list[JobDetail]
    categories: Annotated[dict[str, int], Field(examples=[{"monitoring": 1, "opportunities": 2}])]
    running_jobs: list[RunningJob]


class Toggle(RequestBody):
    """Which way to switch a job."""

    model_config = example({"enabled": False})

    enabled: StrictBool


class Toggled(Body):
    """How a job is switched now."""

    model_config = example(
        {
            "success": True,
            "jobName": "health-check",
            "enabled": False,
            "message": "Job health-check has been disabled",
        }
    )

    success: bool = True
    job_name: str
    enabled: bool
    message: str


class Queued(Body):
    """A run that was asked for."""

    model_config = example(
        {
            "success": True,
            "jobName": "health-check",
            "message": "Job health-check has been queued for execution",
            "note": "Job is running asynchronously. Check execution history for results.",
            "runId": RUN_ID,
        }
    )

    success: bool = True
    job_name: str
    message: str
    note: str
    run_id: UUID


class TimelinePoint(Body):
    """One hour of a job's life, UTC."""

    model_config = example(
        {
            "timeBucket": "2026-01-24T10:00:00Z",
            "executions": 12,
            "successes": 12,
            "failures": 0,
            "avgDuration": 1234,
        }
    )

    time_bucket: datetime
    executions: int
    successes: int
    failures: int
    avg_duration: Annotated[int | None, Field(description="Milliseconds.")]

    @classmethod
    def of(cls, bucket: TimelineBucket) -> "TimelinePoint":
        """The body for an hour."""
        return cls(
            time_bucket=bucket.time_bucket,
            executions=bucket.executions,
            successes=bucket.successes,
            failures=bucket.failures,
            avg_duration=None if bucket.avg_duration_ms is None else round(bucket.avg_duration_ms),
        )


class History(Body):
    """A job, its figures, its latest runs and its hours."""

    success: bool = True
    job_name: str
    job: JobDetail
    stats: JobStats
    history: list[RunBody]
    timeline: list[TimelinePoint]
