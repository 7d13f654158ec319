"""`/api/audit`: who did what, from where, and what it changed."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.models.people import AuditEntry, AuditPage
from callboard.api.problems import documented
from callboard.control.audit import page

router = APIRouter(prefix="/api/audit", tags=["people"])

Filter = Annotated[str | None, Query(max_length=200)]


@router.get("", summary="Read the audit trail", responses=documented(400, 401, 403, 422, 503))
def read(
    context: CurrentContext,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=1_000, description="The most rows to return.")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=100, description="`nextCursor` of the page before.")
    ] = None,
    target: Filter = None,
    who: Filter = None,
    action: Filter = None,
) -> AuditPage:
    """Actions that changed something or were refused, the latest first. Takes `audit:view`."""
    found, following = page(
        context, caller, limit=limit, cursor=cursor, target=target, who=who, action=action
    )
    return AuditPage(entries=[AuditEntry.of(each) for each in found], next_cursor=following)
