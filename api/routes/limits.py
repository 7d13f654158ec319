"""`/api/limits`: who holds what is bounded, and who waits for it."""

from typing import Annotated

from fastapi import APIRouter, Path

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.limits import LimitBody, LimitList, LimitResetBody
from callboard.api.once import ONCE, OnceRoute
from callboard.api.problems import documented
from callboard.control.actions.limits import reset
from callboard.control.reads.limits import limits

router = APIRouter(prefix="/api/limits", tags=["queues"], route_class=OnceRoute)

LimitKey = Annotated[
    str, Path(description="The limit's key.", min_length=1, max_length=1_000, examples=["tenant:7"])
]


@router.get("", summary="List limits", responses=documented(401, 403, 503))
def list_limits(context: CurrentContext, _caller: Analyst) -> LimitList:
    """How each limit stands that is in use, or whose key has no arguments. Takes `analytics:view_all`."""
    return LimitList(limits=[LimitBody.of(each) for each in limits(context)])


@router.post(
    "/{limit}/reset",
    summary="Begin a limit's minute anew",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 422, 503),
)
def reset_limit(context: CurrentContext, caller: Caller, limit: LimitKey) -> LimitResetBody:
    """Forget how many runs have begun within the last minute; those that wait may go on.

    Slots stay with the runs that hold them, and the bounds are the code's. Takes `limits:reset`: the role
    operator.
    """
    return LimitResetBody.of(reset(context, caller, limit))
