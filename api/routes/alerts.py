"""`/api/alerts`, `/api/silences`: what is amiss now, and what was; who sees to it, and who is not told."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.alerts import (
    AckRequest,
    AlertBody,
    AlertPage,
    SilenceBody,
    SilencePage,
    SilenceRequest,
)
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.actions import alerts as actions
from callboard.control.reads.alerts import alerts
from callboard.control.reads.silences import silences

router = APIRouter(prefix="/api", tags=["alerts"], route_class=OnceRoute)

CHANGE = documented(400, 401, 403, 404, 413, 422, 503)

AlertId = Annotated[int, Path(ge=1, le=actions.MAX_ID, description="The alert's id.", examples=[4711])]
SilenceId = Annotated[int, Path(ge=1, le=actions.MAX_ID, description="The silence's id.", examples=[12])]


@router.get("/alerts", summary="List alerts", responses=documented(400, 401, 403, 422, 503))
def list_alerts(
    context: CurrentContext,
    _caller: Analyst,
    open_only: Annotated[bool, Query(alias="open", description="Only those that are open.")] = True,
    kind: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Only of this kind.", examples=["health"])
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AlertPage:
    """Alerts, the latest first. Takes `analytics:view_all`."""
    found, following = alerts(context, open_only=open_only, kind=kind, limit=limit, cursor=cursor)
    return AlertPage(alerts=[AlertBody.of(each) for each in found], next_cursor=following)


@router.post(
    "/alerts/{alert}/acknowledge", summary="Acknowledge an alert", dependencies=ONCE, responses=CHANGE
)
def acknowledge(
    context: CurrentContext, caller: Caller, alert: AlertId, body: Annotated[AckRequest, Body()]
) -> AlertBody:
    """Say that somebody sees to it: it stays open, and nobody is reminded. Takes `alerts:manage`."""
    return AlertBody.of(actions.acknowledge(context, caller, alert, note=body.note))


@router.post(
    "/alerts/{alert}/unacknowledge",
    summary="Take an acknowledgement back",
    dependencies=ONCE,
    responses=CHANGE,
)
def unacknowledge(context: CurrentContext, caller: Caller, alert: AlertId) -> AlertBody:
    """Nobody sees to it any more. Takes `alerts:manage`: the role operator."""
    return AlertBody.of(actions.unacknowledge(context, caller, alert))


@router.get("/silences", summary="List silences", responses=documented(400, 401, 403, 422, 503))
def list_silences(
    context: CurrentContext,
    _caller: Analyst,
    open_only: Annotated[bool, Query(alias="open", description="Only those that are not over.")] = True,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SilencePage:
    """Windows of time in which nobody is told of some alerts, the latest first."""
    found, following = silences(context, open_only=open_only, limit=limit, cursor=cursor)
    return SilencePage(silences=[SilenceBody.of(each) for each in found], next_cursor=following)


@router.post(
    "/silences",
    status_code=201,
    summary="Silence alerts",
    dependencies=ONCE,
    responses=documented(400, 401, 403, 413, 422, 503),
)
def silence(context: CurrentContext, caller: Caller, body: Annotated[SilenceRequest, Body()]) -> SilenceBody:
    """Have nobody told of some alerts for a while; they are opened nevertheless. Takes `alerts:manage`."""
    made = actions.silence(
        context,
        caller,
        kind=body.kind,
        subject=body.subject,
        start=body.from_at,
        until=body.until_at,
        reason=body.reason,
    )
    return SilenceBody.of(made)


@router.post("/silences/{silence}/end", summary="End a silence", dependencies=ONCE, responses=CHANGE)
def end_silence(context: CurrentContext, caller: Caller, silence: SilenceId) -> SilenceBody:
    """End it before its time; what is open then is told. Takes `alerts:manage`: the role operator."""
    return SilenceBody.of(actions.end_silence(context, caller, silence))
