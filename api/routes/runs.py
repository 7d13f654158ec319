"""`/api/runs`: runs, with their attempts and log lines; cancel them, try them again."""

import asyncio
import json
import time
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from starlette.concurrency import run_in_threadpool

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.base import Moment
from callboard.api.models.control import CancelRequest, CancelResult, RetryResult
from callboard.api.models.logs import LogPageBody
from callboard.api.models.runs import RunBody, RunDetailBody, RunPage
from callboard.api.models.workers import StackBody
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import Cursor, Limit, RunId
from callboard.api.problems import documented
from callboard.control.actions import runs as actions
from callboard.control.actions.stacks import stack
from callboard.control.principal import Principal
from callboard.control.reads import run_search
from callboard.control.reads import runs as run_reads
from callboard.core.errors import BadInput
from callboard.core.search import Search

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=OnceRoute)

#: The longest that a caller may wait for lines of a log, in seconds, and how often it is looked for them.
MAX_WAIT_S = 30
LOOK_S = 0.5


def wanted(
    q: Annotated[
        str,
        Query(
            max_length=2_000,
            description="A search in words: `state`, `job`, `queue`, `trigger`, `error`, `args.NAME`,"
            " `since`, `until`; `~` looks for a part.",
            examples=["state:failed job:sync args.coach_id:7 error:~timeout since:2h"],
        ),
    ] = "",
    state: Annotated[list[str] | None, Query(max_length=20, description="In one of these states.")] = None,
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
    queue: Annotated[str | None, Query(max_length=1_000, description="Only of this queue.")] = None,
    trigger: Annotated[
        list[str] | None,
        Query(max_length=20, description="Set off by one of these: `schedule`, `manual`, `code`, `sql`."),
    ] = None,
    error: Annotated[str | None, Query(max_length=1_000, description="In the error or the reason.")] = None,
    args: Annotated[
        str | None,
        Query(
            max_length=4_000,
            description="A JSON object: arguments by name that the run was given.",
            examples=['{"coach_id": 7}'],
        ),
    ] = None,
    since: Annotated[Moment | None, Query(description="Sent then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Sent then or earlier.")] = None,
) -> Search:
    """The search in the address."""
    return run_search.wanted(
        q,
        states=state or (),
        job=job,
        queue=queue,
        triggers=trigger or (),
        text=error,
        arguments=_arguments(args),
        since=since,
        until=until,
    )


@router.get("", summary="Search runs", responses=documented(400, 401, 403, 422, 503))
def list_runs(
    context: CurrentContext,
    _caller: Analyst,
    search: Annotated[Search, Depends(wanted)],
    hours: Annotated[
        float,
        Query(gt=0, le=8_784, description="Without `since`, only those sent within so many hours."),
    ] = 24,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> RunPage:
    """Runs, the latest sent first; a page stays the same whatever is sent meanwhile.

    Filters by themselves and in the words of `q` all hold. Takes `analytics:view_all`.
    """
    found, following = run_search.find(context, search, hours=hours, limit=limit, cursor=cursor)
    return RunPage(runs=[RunBody.of(each) for each in found], next_cursor=following)


@router.get("/{run_id}", summary="Get a run", responses=documented(401, 403, 404, 422, 503))
def get_run(context: CurrentContext, caller: Caller, run_id: RunId) -> RunDetailBody:
    """A run with its arguments, result, attempts and log lines. Takes `jobs:view`."""
    if caller.scope is None:
        caller.require("jobs:view")
    detail = run_reads.run(context, run_id)
    caller.require("jobs:view", detail.run.job)
    return RunDetailBody.from_detail(detail)


@router.get(
    "/{run_id}/logs", summary="Follow a run's log", responses=documented(400, 401, 403, 404, 422, 503)
)
async def follow_log(
    context: CurrentContext,
    caller: Caller,
    run_id: RunId,
    after: Annotated[
        str | None,
        Query(max_length=40, description="`after` of the answer before; by default the beginning."),
    ] = None,
    limit: Limit = 1_000,
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=MAX_WAIT_S,
            allow_inf_nan=False,
            description="Seconds to wait for a line, where there is none and the run goes on.",
        ),
    ] = 0,
) -> LogPageBody:
    """The lines that come after a place. Pass on `after` until `ended` and no `more`. Takes `jobs:view`."""
    deadline = time.monotonic() + wait
    while True:
        page = await run_in_threadpool(_log, context, caller, run_id, after, limit)
        left = deadline - time.monotonic()
        if page.lines or page.ended or left <= 0:
            return LogPageBody.of(page)
        await asyncio.sleep(min(LOOK_S, left))


@router.post(
    "/{run_id}/cancel",
    summary="Cancel a run",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
def cancel_run(
    context: CurrentContext,
    caller: Caller,
    run_id: RunId,
    body: Annotated[CancelRequest | None, Body()] = None,
) -> CancelResult:
    """A run that waits never starts; one that runs is interrupted within a second. Takes `runs:cancel`."""
    reason = None if body is None else body.reason
    return CancelResult.of(actions.cancel(context, caller, run_id, reason=reason))


@router.post(
    "/{run_id}/stack", summary="Ask where a run is", responses=documented(401, 403, 404, 409, 422, 503)
)
def ask_stack(context: CurrentContext, caller: Caller, run_id: RunId) -> StackBody:
    """The Python stack of the thread or process that executes it, just now: calls, and no values.

    409 where nothing executes it, or its worker does not answer. Takes `workers:inspect`: the role operator.
    """
    return StackBody.of(stack(context, caller, run_id))


@router.post(
    "/{run_id}/retry",
    summary="Try a run again now",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 409, 422, 423, 503),
)
def retry_run(context: CurrentContext, caller: Caller, run_id: RunId) -> RetryResult:
    """A run that waits for its next attempt goes at once; one that has ended is done again as a new run.

    Takes `runs:retry`: the role operator.
    """
    return RetryResult.of_retried(actions.retry(context, caller, run_id))


def _log(
    context: CurrentContext, caller: Principal, run_id: RunId, after: str | None, limit: int
) -> run_search.LogPage:
    if caller.scope is None:
        caller.require("jobs:view")
    job, page = run_search.log(context, run_id, after=after, limit=limit)
    caller.require("jobs:view", job)
    return page


def _arguments(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(found):
        raise BadInput("The query parameter 'args' is no JSON object; write one such as {\"coach_id\": 7}.")
    return found
