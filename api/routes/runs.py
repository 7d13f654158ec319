"""`/api/runs`: find runs, look at one, cancel it, have it tried again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.control import CancelRequest, CancelResult, RetryResult
from callboard.api.models.runs import RunBody, RunDetailBody, RunPage
from callboard.api.problems import documented
from callboard.control.actions import runs as actions
from callboard.control.reads import runs as run_reads

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("", summary="List runs", responses=documented(400, 401, 403, 422, 503))
def list_runs(
    context: CurrentContext,
    _caller: Analyst,
    state: Annotated[list[str] | None, Query(description="Only in one of these states.")] = None,
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
    queue: Annotated[str | None, Query(max_length=1_000, description="Only of this queue.")] = None,
    hours: Annotated[float, Query(gt=0, le=8_784, description="Only those sent within so many hours.")] = 24,
    limit: Annotated[int, Query(ge=1, le=1_000, description="The most to return.")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`nextCursor` of the page before.")
    ] = None,
) -> RunPage:
    """Runs, the latest sent first. Takes `analytics:view_all`."""
    found, following = run_reads.find(
        context, states=state or (), job=job, queue=queue, hours=hours, limit=limit, cursor=cursor
    )
    return RunPage(runs=[RunBody.of(each) for each in found], next_cursor=following)


@router.get("/{run_id}", summary="Get a run", responses=documented(401, 403, 404, 422, 503))
def get_run(context: CurrentContext, caller: Caller, run_id: UUID) -> RunDetailBody:
    """A run with its arguments, result, attempts and log lines."""
    if caller.scope is None:
        caller.require("jobs:view")
    detail = run_reads.run(context, run_id)
    caller.require("jobs:view", detail.run.job)
    return RunDetailBody.from_detail(detail)


@router.post(
    "/{run_id}/cancel", summary="Cancel a run", responses=documented(401, 403, 404, 409, 413, 422, 503)
)
def cancel_run(
    context: CurrentContext,
    caller: Caller,
    run_id: UUID,
    body: Annotated[CancelRequest | None, Body()] = None,
) -> CancelResult:
    """A run that waits never starts; one that runs is interrupted within a second. Takes `runs:cancel`."""
    reason = None if body is None else body.reason
    return CancelResult.of(actions.cancel(context, caller, run_id, reason=reason))


@router.post(
    "/{run_id}/retry", summary="Try a run again now", responses=documented(401, 403, 404, 409, 422, 423, 503)
)
def retry_run(context: CurrentContext, caller: Caller, run_id: UUID) -> RetryResult:
    """A run that waits for its next attempt goes at once; one that has ended is done again as a new run.

    Takes `runs:retry`: the role operator.
    """
    return RetryResult.of_retried(actions.retry(context, caller, run_id))
