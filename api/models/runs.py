"""Runs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from callboard.api.models.base import Body, RequestBody, example
from callboard.api.models.logs import LOG_LINE, LogBody
from callboard.control.reads.flows import Flow, Part
from callboard.control.reads.runs import Run, RunDetail
from callboard.core.clock import utcnow

RUN_ID = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"

#: The status that a run's log entry has in `cron_job_logs`, by the run's state.
STATUS = {"succeeded": "completed", "processing": "started", "pending": "started", "skipped": "skipped"}


RUN: dict[str, Any] = {
    "id": RUN_ID,
    "jobName": "health-check",
    "status": "completed",
    "state": "succeeded",
    "startedAt": "2026-01-24T10:00:00.004Z",
    "completedAt": "2026-01-24T10:00:05.238Z",
    "duration": 5234,
    "error": None,
    "attempts": 1,
    "maxAttempts": 1,
    "createdAt": "2026-01-24T10:00:00Z",
    "trigger": "schedule",
    "requestedBy": None,
    "dueAt": "2026-01-24T10:00:00Z",
    "wait": 4,
    "nextRetryAt": None,
    "reason": None,
    "worker": "worker-1",
    "queue": "default",
    "progress": {"done": 12, "total": 12, "note": None},
    "retryOf": None,
}


class Arguments(RequestBody):
    """The arguments of a run. They are checked against the job's signature."""

    model_config = example({"args": [], "kwargs": {}})

    args: Annotated[list[Any], Field(default_factory=list)]
    kwargs: Annotated[dict[str, Any], Field(default_factory=dict)]


class RunningJob(Body):
    """A run that is being executed."""

    model_config = example(
        {
            "jobName": "send-review-requests",
            "runId": RUN_ID,
            "startedAt": "2026-01-24T10:00:00.004Z",
            "duration": 8120,
            "attempt": 1,
            "maxAttempts": 2,
            "progress": {"done": 40, "total": 125, "note": None},
            "worker": "worker-1",
        }
    )

    job_name: str
    run_id: UUID
    started_at: datetime | None
    duration: Annotated[int | None, Field(description="Milliseconds so far, of this attempt.")]
    attempt: int
    max_attempts: int | None
    progress: Any
    worker: str | None

    @classmethod
    def of(cls, run: Run) -> "RunningJob":
        """The body for a run."""
        return cls(
            job_name=run.job,
            run_id=run.run_id,
            started_at=run.started_at,
            duration=run.running_ms(utcnow()),
            attempt=run.attempt,
            max_attempts=run.max_attempts,
            progress=run.progress,
            worker=run.worker,
        )


class RunBody(Body):
    """A run. `status` is its word in `cron_job_logs`, `state` that of its life."""

    model_config = example(RUN)

    id: UUID
    job_name: str
    status: str
    state: str
    started_at: datetime | None
    completed_at: datetime | None
    duration: Annotated[int | None, Field(description="Milliseconds, of the last attempt.")]
    error: str | None
    attempts: int
    max_attempts: int | None
    created_at: datetime
    trigger: str
    requested_by: str | None
    due_at: datetime | None
    wait: Annotated[int | None, Field(description="Milliseconds from ready to start.")]
    next_retry_at: datetime | None
    reason: str | None
    worker: str | None
    queue: str
    progress: Any
    retry_of: Annotated[UUID | None, Field(description="The run that this one does again.")]

    @classmethod
    def of(cls, run: Run) -> "RunBody":
        """The body for a run."""
        return cls(**_run(run))


class RunPage(Body):
    """A page of runs; `nextCursor` is null on the last one."""

    runs: list[RunBody]
    next_cursor: str | None


class AttemptBody(Body):
    """One attempt of a run."""

    attempt: int
    state: str
    started_at: datetime | None
    completed_at: datetime | None
    duration: int | None
    error: str | None
    error_type: str | None
    traceback: str | None
    reason: str | None
    worker: str | None


class PartBody(Body):
    """One part of a chain or a group; `runId` is null where it has not become a run."""

    run_id: UUID | None
    job: str
    state: Annotated[str, Field(description="That of its run, or `waiting`, or `not run`.")]
    reason: str | None

    @classmethod
    def of(cls, part: Part) -> "PartBody":
        """The body for a part."""
        return cls(run_id=part.run_id, job=part.job, state=part.state, reason=part.reason)


class FlowBody(Body):
    """A chain, or a group and what follows it (`then`), with all parts."""

    kind: str
    id: str
    parts: list[PartBody]
    then: list[PartBody]

    @classmethod
    def of(cls, flow: Flow) -> "FlowBody":
        """The body for a flow."""
        parts = [PartBody.of(each) for each in flow.parts]
        return cls(kind=flow.kind, id=flow.id, parts=parts, then=[PartBody.of(each) for each in flow.then])


class RunDetailBody(RunBody):
    """A run with all that is known of it."""

    model_config = example(
        RUN
        | {
            "args": [],
            "kwargs": {},
            "result": {"processed": 12, "failed": 0},
            "retriedAs": None,
            "flows": [],
            "held": {"mutex": 1200},
            "errorType": None,
            "traceback": None,
            "attemptList": [
                {
                    "attempt": 1,
                    "state": "succeeded",
                    "startedAt": "2026-01-24T10:00:00.004Z",
                    "completedAt": "2026-01-24T10:00:05.238Z",
                    "duration": 5234,
                    "error": None,
                    "errorType": None,
                    "traceback": None,
                    "reason": None,
                    "worker": "worker-1",
                }
            ],
            "logs": [LOG_LINE],
        }
    )

    args: list[Any]
    kwargs: dict[str, Any]
    result: Any
    retried_as: Annotated[UUID | None, Field(description="The run that does this one again.")]
    flows: Annotated[list[FlowBody], Field(description="The chain and the group that it is a part of.")]
    held: Annotated[
        dict[str, int],
        Field(
            description="Milliseconds for which it was held back before its first start, by `pause`, `mutex`,"
            " `limit`, `breaker` or `overlap`."
        ),
    ]
    error_type: str | None
    traceback: str | None
    attempt_list: list[AttemptBody]
    logs: list[LogBody]

    @classmethod
    def from_detail(cls, detail: RunDetail) -> "RunDetailBody":
        """The body for a run with its attempts and log lines."""
        return cls(
            **_run(detail.run),
            args=detail.args,
            kwargs=detail.kwargs,
            result=detail.result,
            retried_as=detail.retried_as,
            flows=[FlowBody.of(each) for each in detail.flows],
            held={str(cause): ms for cause, ms in detail.held.items()},
            error_type=detail.run.error_type,
            traceback=detail.traceback,
            attempt_list=[
                AttemptBody(
                    attempt=each.attempt,
                    state=each.state,
                    started_at=each.started_at,
                    completed_at=each.finished_at,
                    duration=each.duration_ms,
                    error=each.error,
                    error_type=each.error_type,
                    traceback=each.traceback,
                    reason=each.reason,
                    worker=each.worker,
                )
                for each in detail.attempts
            ],
            logs=[LogBody.of(each) for each in detail.logs],
        )


def error_text(run: Run) -> str:
    """Why a run did not succeed, in the words of the API."""
    return run.error or run.reason or run.error_type or f"Job {run.job} {run.state}"


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "job_name": run.job,
        "status": STATUS.get(run.state, "failed"),
        "state": run.state,
        "started_at": run.started_at,
        "completed_at": run.finished_at,
        "duration": run.duration_ms,
        "error": error_text(run) if run.state in ("failed", "dead", "cancelled") else run.error,
        "attempts": run.attempt,
        "max_attempts": run.max_attempts,
        "created_at": run.enqueued_at,
        "trigger": run.trigger,
        "requested_by": run.requested_by,
        "due_at": run.due_at,
        "wait": run.wait_ms,
        "next_retry_at": run.next_retry_at,
        "reason": run.reason,
        "worker": run.worker,
        "queue": run.queue,
        "progress": run.progress,
        "retry_of": run.retry_of,
    }
