"""`/api/runs/selected`, `bulk`, `export`: many runs at once."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Response

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.bulk import (
    BulkBody,
    BulkPage,
    BulkStarted,
    RunBulkRequest,
    RunsDealt,
    SomeRuns,
    SomeRunsToCancel,
)
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.actions import bulk
from callboard.control.actions import bulk_runs as actions
from callboard.control.reads import bulk as reads
from callboard.control.reads.run_export import export
from callboard.control.reads.run_search import MAX_HOURS, Wanted

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=OnceRoute)

#: The beginning of a table, with some of its columns.
EXAMPLE = "run_id,job,queue,state,attempt\r\n0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d,sync,default,failed,3\r\n"

CHANGE = documented(400, 401, 403, 404, 409, 413, 422, 503)
ActionId = Annotated[
    UUID, Path(description="The action's id.", examples=["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"])
]


@router.post("/selected/retry", summary="Try some runs again now", dependencies=ONCE, responses=CHANGE)
def retry_runs(context: CurrentContext, caller: Caller, body: Annotated[SomeRuns, Body()]) -> RunsDealt:
    """Each by the rules for one; those that it cannot be done with are passed by. Takes `runs:retry`."""
    return RunsDealt.of(actions.deal(context, caller, "retry", body.run_ids))


@router.post("/selected/cancel", summary="Cancel some runs", dependencies=ONCE, responses=CHANGE)
def cancel_runs(
    context: CurrentContext, caller: Caller, body: Annotated[SomeRunsToCancel, Body()]
) -> RunsDealt:
    """Each by the rules for one; those that have ended are passed by. Takes `runs:cancel`."""
    return RunsDealt.of(actions.deal(context, caller, "cancel", body.run_ids, reason=body.reason))


@router.post("/bulk", summary="Retry or cancel many runs", dependencies=ONCE, responses=CHANGE)
def start(context: CurrentContext, caller: Caller, body: Annotated[RunBulkRequest, Body()]) -> BulkStarted:
    """Deal with all runs that fit a search now, and with none sent later, in a run of the job `bulk-runs`.

    A retry deals with runs that failed, are dead or wait for their next attempt; with those that were
    cancelled or skipped only where the search names that state. Asked for twice while it is under way, it is
    the same action. A token that is limited to jobs has to name some of them in the search. Takes
    `runs:retry` or `runs:cancel`.
    """
    return BulkStarted.of(actions.start(context, caller, body.what, body.wanted(), reason=body.reason))


@router.get("/bulk", summary="List actions on many runs", responses=documented(400, 401, 403, 422, 503))
def list_actions(
    context: CurrentContext, _caller: Analyst, limit: Limit = 20, cursor: Cursor = None
) -> BulkPage:
    """The latest actions, with how far they are."""
    found, following = reads.bulk_actions(context, "runs", limit=limit, cursor=cursor)
    return BulkPage(actions=[BulkBody.of(each) for each in found], next_cursor=following)


@router.get(
    "/bulk/{action_id}",
    summary="Get an action on many runs",
    responses=documented(401, 403, 404, 422, 503),
)
def status(context: CurrentContext, _caller: Analyst, action_id: ActionId) -> BulkBody:
    """How far it is."""
    return BulkBody.of(reads.bulk_action(context, "runs", action_id))


@router.post(
    "/bulk/{action_id}/abort",
    summary="Abort an action on many runs",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 409, 422, 503),
)
def abort(context: CurrentContext, caller: Caller, action_id: ActionId) -> BulkBody:
    """End it before its next batch; what is done stays done. Takes the permission that it took."""
    return BulkBody.of(bulk.abort(context, caller, "runs", action_id))


@router.get(
    "/export",
    summary="Export runs as CSV",
    response_class=Response,
    responses={
        **documented(400, 401, 403, 422, 503),
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}},
            "description": "The table.",
        },
    },
)
def export_runs(
    context: CurrentContext,
    _caller: Analyst,
    q: Annotated[
        str,
        Query(
            max_length=2_000,
            description="A search in words, as of `/api/runs`.",
            examples=["state:failed job:sync since:2h"],
        ),
    ] = "",
    hours: Annotated[
        float,
        Query(gt=0, le=MAX_HOURS, description="Without `since`, only those sent within so many hours."),
    ] = 24,
) -> Response:
    """The latest 5,000 runs that fit, with all columns: CSV by RFC 4180, in which no text is a formula."""
    return Response(export(context, Wanted(q, hours)), media_type="text/csv; charset=utf-8")
