"""Runs that somebody waited for."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.api.models.runs import RUN_ID
from callboard.control.reads.runs import Run


class Execution(Body):
    """One execution, from its first start to its end, retries included."""

    started_at: datetime | None
    completed_at: datetime | None
    duration: Annotated[int | None, Field(description="Milliseconds.")]
    status: Annotated[str, Field(description="`success`, `failed`, `running` or `pending`.")]

    @classmethod
    def of(cls, run: Run) -> "Execution":
        """The body for a run."""
        status = {"succeeded": "success", "processing": "running", "pending": "pending"}.get(
            run.state, "failed"
        )
        return cls(
            started_at=run.started_at,
            completed_at=run.finished_at if run.ended else None,
            duration=run.elapsed_ms if run.ended else None,
            status=status,
        )


class Executed(Body):
    """A job that was run and succeeded."""

    model_config = example(
        {
            "success": True,
            "jobName": "health-check",
            "execution": {
                "startedAt": "2026-01-24T10:00:00Z",
                "completedAt": "2026-01-24T10:00:05.234Z",
                "duration": 5234,
                "status": "success",
            },
            "message": "Job health-check completed successfully",
            "runId": RUN_ID,
            "attempts": 1,
            "result": {"processed": 12, "failed": 0},
        }
    )

    success: bool = True
    job_name: str
    execution: Execution
    message: str
    run_id: UUID
    attempts: int
    result: Any


class ExecutionFailed(Body):
    """A job that was run and failed."""

    model_config = example(
        {
            "success": False,
            "jobName": "health-check",
            "error": "Job timeout after 30 seconds",
            "execution": {
                "startedAt": "2026-01-24T10:00:00Z",
                "completedAt": "2026-01-24T10:00:30Z",
                "duration": 30000,
                "status": "failed",
            },
            "runId": RUN_ID,
            "attempts": 1,
        }
    )

    success: bool = False
    job_name: str
    error: str
    execution: Execution
    run_id: UUID
    attempts: int


class ExecutionGoesOn(Body):
    """A job that had not ended when the wait was over. It goes on; `GET /api/runs/{runId}` tells the end."""

    model_config = example(
        {
            "success": None,
            "jobName": "health-check",
            "execution": {
                "startedAt": "2026-01-24T10:00:00Z",
                "completedAt": None,
                "duration": None,
                "status": "running",
            },
            "message": "Job health-check has not ended yet",
            "runId": RUN_ID,
        }
    )

    success: None = None
    job_name: str
    execution: Execution
    message: str
    run_id: UUID
