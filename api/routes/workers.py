"""`/api/workers`: the processes of the system, and what each does."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.workers import FleetBody
from callboard.api.problems import documented
from callboard.control.reads.fleet import Part, fleet

router = APIRouter(prefix="/api/workers", tags=["workers"])


@router.get("", summary="List the fleet", responses=documented(401, 403, 422, 503))
def list_workers(
    context: CurrentContext,
    _caller: Analyst,
    part: Annotated[Part | None, Query(description="Only these processes.")] = None,
) -> FleetBody:
    """Workers and all other processes: when each was last heard of, its version, its memory, its threads.

    One that has died is listed for an hour. Takes `analytics:view_all`.
    """
    return FleetBody.of(fleet(context, part=part))
