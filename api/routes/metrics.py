"""`/metrics`: for Prometheus, which sends a token like everybody else."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.problems import documented
from callboard.control.reads.metrics import CONTENT_TYPE, metrics

router = APIRouter(tags=["health"])

EXAMPLE = """# HELP callboard_runs_total Runs that have ended since the first of the month (UTC), by outcome.
# TYPE callboard_runs_total counter
callboard_runs_total{job="health-check",outcome="succeeded"} 8640
"""


@router.get(
    "/metrics",
    summary="Scrape the figures",
    response_class=PlainTextResponse,
    responses=documented(401, 403, 503)
    | {200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLE}}}},
)
def scrape(context: CurrentContext, _caller: Analyst) -> PlainTextResponse:
    """Jobs by outcome, queues, workers, and how late each part is, in Prometheus's text format.

    Takes `analytics:view_all`.
    """
    return PlainTextResponse(metrics(context), media_type=CONTENT_TYPE)
