"""`/api/audit`: who did what, from where, and what it changed."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.models.people import AuditEntry, AuditPage
from callboard.api.parameters import Cursor, Limit
from callboard.api.problems import documented
from callboard.control.audit import page

router = APIRouter(prefix="/api/audit", tags=["people"])


@router.get("", summary="Read the audit trail", responses=documented(400, 401, 403, 422, 503))
def read(
    context: CurrentContext,
    caller: Caller,
    limit: Limit = 100,
    cursor: Cursor = None,
    target: Annotated[str | None, Query(max_length=200, description="Only what was done to this.")] = None,
    who: Annotated[str | None, Query(max_length=200, description="Only what this one did.")] = None,
    action: Annotated[str | None, Query(max_length=200, description="Only this, `run_job` say.")] = None,
) -> AuditPage:
    """Actions that changed something or were refused, the latest first. Takes `audit:view`."""
    found, following = page(
        context, caller, limit=limit, cursor=cursor, target=target, who=who, action=action
    )
    return AuditPage(entries=[AuditEntry.of(each) for each in found], next_cursor=following)
