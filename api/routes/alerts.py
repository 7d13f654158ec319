"""`/api/alerts`: what is amiss now, and what was."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.alerts import AlertBody, AlertList
from callboard.api.parameters import Limit
from callboard.api.problems import documented
from callboard.control.reads.alerts import alerts

router = APIRouter(prefix="/api/alerts", tags=["queue health"])


@router.get("", summary="List alerts", responses=documented(401, 403, 422, 503))
def list_alerts(
    context: CurrentContext,
    _caller: Analyst,
    open_only: Annotated[bool, Query(alias="open", description="Only those that are open.")] = True,
    kind: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Only of this kind.", examples=["health"])
    ] = None,
    limit: Limit = 100,
) -> AlertList:
    """Alerts, the open ones first, and within that the latest. Takes `analytics:view_all`."""
    found = alerts(context, open_only=open_only, kind=kind, limit=limit)
    return AlertList(alerts=[AlertBody.of(each) for each in found])
