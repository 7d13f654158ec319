"""`/api/breakers`: which dependencies are spared, and why."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.control import (
    BreakerBody,
    BreakerChangeBody,
    BreakerChangePage,
    BreakerList,
    BreakerReset,
)
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.actions.breakers import reset
from callboard.control.reads import breakers as reads

router = APIRouter(prefix="/api/breakers", tags=["breakers"], route_class=OnceRoute)

READ = documented(401, 403, 503)


@router.get("", summary="List circuit breakers", responses=READ)
def list_breakers(context: CurrentContext, _caller: Analyst) -> BreakerList:
    """How each breaker stands that has ever counted a failure."""
    return BreakerList(breakers=[BreakerBody.of(each) for each in reads.breakers(context)])


@router.get(
    "/changes", summary="List changes of circuit breakers", responses=documented(400, 401, 403, 422, 503)
)
def list_changes(
    context: CurrentContext,
    _caller: Analyst,
    breaker: Annotated[str | None, Query(max_length=200, description="Only of this one.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> BreakerChangePage:
    """When breakers opened and closed, and why; the latest first."""
    found, following = reads.changes(context, breaker=breaker, limit=limit, cursor=cursor)
    return BreakerChangePage(changes=[BreakerChangeBody.of(each) for each in found], next_cursor=following)


@router.post(
    "/{breaker}/reset",
    summary="Close a circuit breaker",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 422, 503),
)
def reset_breaker(
    context: CurrentContext,
    caller: Caller,
    breaker: Annotated[
        str, Path(description="The breaker's name.", min_length=1, max_length=200, examples=["whatsapp"])
    ],
) -> BreakerReset:
    """Close it at once; the runs that wait for it go on. Takes `breakers:reset`: the role operator."""
    done = reset(context, caller, breaker)
    return BreakerReset(name=done.name, was=done.was)
