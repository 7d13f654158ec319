"""`/api/queues`, `/api/pauses`: how much waits, and holding it back."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from starlette.concurrency import run_in_threadpool

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.control import (
    DrainRequest,
    DrainResult,
    PauseBody,
    PauseList,
    PauseRequest,
    PauseResult,
    QueueBody,
    QueueDetailBody,
    QueueList,
    ResumeResult,
)
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import JobName, QueueName
from callboard.api.problems import documented
from callboard.control.actions import pauses as actions
from callboard.control.reads import pauses as reads
from callboard.control.reads.queues import queue as reads_queue
from callboard.control.reads.queues import queues

router = APIRouter(prefix="/api", tags=["queues"], route_class=OnceRoute)

READ = documented(401, 403, 503)
PAUSE = documented(400, 401, 403, 404, 413, 422, 503)
RESUME = documented(401, 403, 422, 503)

#: The longest that a caller may wait for a queue to be drained, in seconds, and how often it is looked at.
MAX_WAIT_S = 60
LOOK_S = 0.25

Wanted = Annotated[PauseRequest, Body()]


@router.get("/queues", summary="List queues", responses=READ)
def list_queues(context: CurrentContext, _caller: Analyst) -> QueueList:
    """How much waits in each queue, and whether it is paused."""
    return QueueList(queues=[QueueBody.of(each) for each in queues(context)])


@router.get("/queues/{queue}", summary="Get a queue", responses=documented(401, 403, 404, 422, 503))
def get_queue(context: CurrentContext, _caller: Analyst, queue: QueueName) -> QueueDetailBody:
    """How much waits, who serves it, its jobs, and its runs by state. Takes `analytics:view_all`."""
    return QueueDetailBody.of_detail(reads_queue(context, queue))


@router.get("/pauses", summary="List pauses", responses=READ)
def list_pauses(context: CurrentContext, _caller: Analyst) -> PauseList:
    """What is paused, by whom and why."""
    return PauseList(pauses=[PauseBody.of(each) for each in reads.pauses(context)])


@router.post("/pause", summary="Pause everything", dependencies=ONCE, responses=PAUSE)
def pause_all(context: CurrentContext, caller: Caller, body: Wanted) -> PauseResult:
    """Have workers take no more work at all. Schedules go on, and their runs wait. Takes `queues:pause`."""
    return PauseResult.of(
        actions.pause(context, caller, "all", reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/resume", summary="Resume everything", dependencies=ONCE, responses=RESUME)
def resume_all(context: CurrentContext, caller: Caller) -> ResumeResult:
    """Have workers take work again; queues and jobs that are paused by themselves stay so."""
    return ResumeResult.of(actions.resume(context, caller, "all"))


@router.post("/queues/{queue}/pause", summary="Pause a queue", dependencies=ONCE, responses=PAUSE)
def pause_queue(context: CurrentContext, caller: Caller, queue: QueueName, body: Wanted) -> PauseResult:
    """Have workers take no more work off a queue: what waits stays where it is. Takes `queues:pause`."""
    return PauseResult.of(
        actions.pause(context, caller, "queue", queue, reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/queues/{queue}/resume", summary="Resume a queue", dependencies=ONCE, responses=RESUME)
def resume_queue(context: CurrentContext, caller: Caller, queue: QueueName) -> ResumeResult:
    """Have workers serve a queue again. Takes `queues:pause`: the role operator."""
    return ResumeResult.of(actions.resume(context, caller, "queue", queue))


@router.post(
    "/queues/{queue}/drain",
    summary="Drain a queue",
    dependencies=ONCE,
    responses=PAUSE | {202: {"model": DrainResult, "description": "The wait was over first; ask again."}},
)
async def drain_queue(
    context: CurrentContext,
    caller: Caller,
    queue: QueueName,
    body: Annotated[DrainRequest, Body()],
    response: Response,
    wait: Annotated[
        float,
        Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False, description="Wait at most this many seconds."),
    ] = 10,
) -> DrainResult:
    """Pause a queue, and answer when nothing of it is under way: 200, or 202 where the wait was over first.

    What waits stays where it is until the queue is resumed. Asked again, it goes on waiting. Takes
    `queues:pause`: the role operator.
    """
    await run_in_threadpool(actions.pause, context, caller, "queue", queue, reason=body.reason)
    deadline = time.monotonic() + wait
    while True:
        found = (await run_in_threadpool(reads_queue, context, queue)).queue
        left = deadline - time.monotonic()
        if found.taken == 0 or left <= 0:
            break
        await asyncio.sleep(min(LOOK_S, left))
    response.status_code = 202 if found.taken else 200
    return DrainResult(drained=found.taken == 0, left=found.taken, queue=QueueBody.of(found))


@router.post("/jobs/{job}/pause", summary="Pause a job", dependencies=ONCE, responses=PAUSE)
def pause_job(context: CurrentContext, caller: Caller, job: JobName, body: Wanted) -> PauseResult:
    """Have the runs of a job wait; the rest of its queue goes on. Takes `jobs:pause`: the role operator."""
    return PauseResult.of(
        actions.pause(context, caller, "job", job, reason=body.reason, cancel_running=body.cancel_running)
    )


@router.post("/jobs/{job}/resume", summary="Resume a job", dependencies=ONCE, responses=RESUME)
def resume_job(context: CurrentContext, caller: Caller, job: JobName) -> ResumeResult:
    """Have the runs of a job go on, the oldest first. Takes `jobs:pause`: the role operator."""
    return ResumeResult.of(actions.resume(context, caller, "job", job))
