"""`/api/alerts`: what is amiss now, and what was."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.alerts import AlertBody, AlertPage
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.reads.alerts import alerts

router = APIRouter(prefix="/api/alerts", tags=["queue health"])


@router.get("", summary="List alerts", responses=documented(400, 401, 403, 422, 503))
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
