"""`/api/runs`: one run with all that is known of it."""

from uuid import UUID

from fastapi import APIRouter

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.models.runs import RunDetailBody
from callboard.api.problems import documented
from callboard.control.reads import runs as run_reads

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("/{run_id}", summary="Get a run", responses=documented(401, 403, 404, 422, 503))
def get_run(context: CurrentContext, caller: Caller, run_id: UUID) -> RunDetailBody:
    """A run with its arguments, result, attempts and log lines."""
    if caller.scope is None:
        caller.require("jobs:view")
    detail = run_reads.run(context, run_id)
    caller.require("jobs:view", detail.run.job)
    return RunDetailBody.from_detail(detail)
