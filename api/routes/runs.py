"""`/api/runs`: one run with all that is known of it."""

from uuid import UUID

from fastapi import APIRouter

from callboard.api.dependencies import CurrentContext, Viewer
from callboard.api.models.runs import RunDetailBody
from callboard.api.problems import documented
from callboard.control.reads import runs as run_reads

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("/{run_id}", summary="Get a run", responses=documented(401, 403, 404, 422, 503))
def get_run(context: CurrentContext, _caller: Viewer, run_id: UUID) -> RunDetailBody:
    """A run with its arguments, result, attempts and log lines."""
    return RunDetailBody.from_detail(run_reads.run(context, run_id))
