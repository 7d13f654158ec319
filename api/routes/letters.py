"""`/api/dead-letters`: what failed for good, and what to do with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.base import Moment
from callboard.api.models.bulk import BulkBody, BulkPage, BulkStarted
from callboard.api.models.letters import (
    BulkRequest,
    Dealing,
    GroupBody,
    GroupList,
    LetterBody,
    LetterPage,
    Letters,
)
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.actions import bulk
from callboard.control.actions import letters as actions
from callboard.control.reads import bulk as bulk_reads
from callboard.control.reads import letters as reads
from callboard.control.reads.letters import Wanted

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], route_class=OnceRoute)

READ = documented(400, 401, 403, 422, 503)
CHANGE = documented(400, 401, 403, 404, 409, 413, 422, 503)


def wanted(
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
    fingerprint: Annotated[
        str | None, Query(max_length=100, description="Only of this error, by its fingerprint.")
    ] = None,
    text: Annotated[str | None, Query(max_length=1_000, description="In the error.")] = None,
    since: Annotated[Moment | None, Query(description="Ended then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Ended then or earlier.")] = None,
) -> Wanted:
    """The filter in the address."""
    return Wanted(job, fingerprint, text, since, until)


ActionId = Annotated[
    UUID, Path(description="The action's id.", examples=["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"])
]
Filter = Annotated[Wanted, Depends(wanted)]


@router.get("", summary="List dead letters", responses=READ)
def list_letters(
    context: CurrentContext,
    _caller: Analyst,
    wanted: Filter,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LetterPage:
    """Runs that failed or are dead and whose messages are kept, the latest sent first.

    Takes `analytics:view_all`.
    """
    found, following = reads.letters(context, wanted, limit=limit, cursor=cursor)
    return LetterPage(letters=[LetterBody.of(each) for each in found], next_cursor=following)


@router.get("/groups", summary="Group dead letters by their error", responses=READ)
def list_groups(
    context: CurrentContext,
    _caller: Analyst,
    wanted: Filter,
    limit: Annotated[int, Query(ge=1, le=reads.MAX_GROUPS, description="The most to return.")] = 100,
) -> GroupList:
    """Dead letters by the fingerprint of their error: its type and where in the code it came from."""
    found = reads.groups(context, wanted, limit=limit)
    return GroupList(groups=[GroupBody.of(each) for each in found])


@router.post("/requeue", summary="Requeue some dead letters", dependencies=ONCE, responses=CHANGE)
def requeue(context: CurrentContext, caller: Caller, body: Annotated[Letters, Body()]) -> Dealing:
    """Run them again, each as a new run that names the old one. Takes `dead:requeue`: the role operator.

    One that was requeued or dropped already is passed by.
    """
    return Dealing.of(actions.deal(context, caller, "requeue", body.run_ids))


@router.post("/drop", summary="Drop some dead letters", dependencies=ONCE, responses=CHANGE)
def drop(context: CurrentContext, caller: Caller, body: Annotated[Letters, Body()]) -> Dealing:
    """Forget their messages; the runs stay in the history. Takes `dead:drop`: the role operator."""
    return Dealing.of(actions.deal(context, caller, "drop", body.run_ids))


@router.post("/bulk", summary="Requeue or drop many dead letters", dependencies=ONCE, responses=CHANGE)
def start(context: CurrentContext, caller: Caller, body: Annotated[BulkRequest, Body()]) -> BulkStarted:
    """Deal with all of a filter that there are now, in a run of the job `dead-letters`.

    Asked for twice while it is under way, it is the same action. Takes `dead:requeue` or `dead:drop`.
    """
    return BulkStarted.of(actions.start(context, caller, body.what, body.filter.wanted()))


@router.get("/bulk", summary="List actions on many dead letters", responses=READ)
def list_actions(
    context: CurrentContext,
    _caller: Analyst,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> BulkPage:
    """The latest actions, with how far they are."""
    found, following = bulk_reads.bulk_actions(context, "dead letters", limit=limit, cursor=cursor)
    return BulkPage(actions=[BulkBody.of(each) for each in found], next_cursor=following)


@router.get(
    "/bulk/{action_id}",
    summary="Get an action on many dead letters",
    responses=documented(401, 403, 404, 422, 503),
)
def status(context: CurrentContext, _caller: Analyst, action_id: ActionId) -> BulkBody:
    """How far it is."""
    return BulkBody.of(bulk_reads.bulk_action(context, "dead letters", action_id))


@router.post(
    "/bulk/{action_id}/abort",
    summary="Abort an action on many dead letters",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 409, 422, 503),
)
def abort(context: CurrentContext, caller: Caller, action_id: ActionId) -> BulkBody:
    """End it before its next batch; what is done stays done. Takes the permission that it took."""
    return BulkBody.of(bulk.abort(context, caller, "dead letters", action_id))
