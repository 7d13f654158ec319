"""`/api/queues`, `/api/pauses`: how much waits, and holding it back."""

from typing import Annotated

from fastapi import APIRouter, Body

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.control import (
    PauseBody,
    PauseList,
    PauseRequest,
    PauseResult,
    QueueBody,
    QueueList,
    ResumeResult,
)
from callboard.api.problems import documented
from callboard.control.actions import pauses as actions
from callboard.control.reads import pauses as reads
from callboard.control.reads.queues import queues

router = APIRouter(prefix="/api", tags=["queues"])

READ = documented(401, 403, 503)
PAUSE = documented(400, 401, 403, 404, 413, 422, 503)
RESUME = documented(401, 403, 422, 503)

Wanted = Annotated[PauseRequest, Body()]


@router.get("/queues", summary="List queues", responses=READ)
def list_queues(context: CurrentContext, _caller: Analyst) -> QueueList:
    """How much waits in each queue, and whether it is paused."""
    return QueueList(queues=[QueueBody.of(each) for each in queues(context)])


@router.get("/pauses", summary="List pauses", responses=READ)
def list_pauses(context: CurrentContext, _caller: Analyst) -> PauseList:
    """What is paused, by whom and why."""
    return PauseList(pauses=[PauseBody.of(each) for each in reads.pauses(context)])


@router.post("/pause", summary="Pause everything", responses=PAUSE)
def pause_all(context: CurrentContext, caller: Caller, body: Wanted) -> PauseResult:
    """Have workers take no more work at all. Schedules go on, and their runs wait. Takes `queues:pause`."""
    return PauseResult.of(
        actions.pause(context, caller, "all", reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/resume", summary="Resume everything", responses=RESUME)
def resume_all(context: CurrentContext, caller: Caller) -> ResumeResult:
    """Have workers take work again; queues and jobs that are paused by themselves stay so."""
    return ResumeResult.of(actions.resume(context, caller, "all"))


@router.post("/queues/{queue}/pause", summary="Pause a queue", responses=PAUSE)
def pause_queue(context: CurrentContext, caller: Caller, queue: str, body: Wanted) -> PauseResult:
    """Have workers take no more work off a queue: what waits stays where it is. Takes `queues:pause`."""
    return PauseResult.of(
        actions.pause(context, caller, "queue", queue, reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/queues/{queue}/resume", summary="Resume a queue", responses=RESUME)
def resume_queue(context: CurrentContext, caller: Caller, queue: str) -> ResumeResult:
    """Have workers serve a queue again. Takes `queues:pause`: the role operator."""
    return ResumeResult.of(actions.resume(context, caller, "queue", queue))


@router.post("/jobs/{job}/pause", summary="Pause a job", responses=PAUSE)
def pause_job(context: CurrentContext, caller: Caller, job: str, body: Wanted) -> PauseResult:
    """Have the runs of a job wait; the rest of its queue goes on. Takes `jobs:pause`: the role operator."""
    return PauseResult.of(
        actions.pause(context, caller, "job", job, reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/jobs/{job}/resume", summary="Resume a job", responses=RESUME)
def resume_job(context: CurrentContext, caller: Caller, job: str) -> ResumeResult:
    """Have the runs of a job go on, the oldest first. Takes `jobs:pause`: the role operator."""
    return ResumeResult.of(actions.resume(context, caller, "job", job))
