"""`/api/anomalies` and `/api/schedules/collisions`: what is out of the ordinary, and what will collide."""

from typing import Annotated

from fastapi import APIRouter, Query

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.anomalies import AnomalyBody, AnomalyList, CollisionList, PoolWeekBody
from callboard.api.problems import documented
from callboard.control.reads.anomalies import anomalies
from callboard.control.reads.collisions import collisions
from callboard.core.anomalies import Kind

router = APIRouter(prefix="/api")


@router.get(
    "/anomalies",
    summary="List anomalies",
    tags=["queue health"],
    responses=documented(400, 401, 403, 404, 422, 503),
)
def list_anomalies(
    context: CurrentContext,
    _caller: Analyst,
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
) -> AnomalyList:
    """What is out of the ordinary: runs of the last day, those under way, and slots that nobody decided.

    Takes `analytics:view_all`.
    """
    return AnomalyList(anomalies=[AnomalyBody.of(each) for each in anomalies(context, job=job, kind=kind)])


@router.get(
    "/schedules/collisions",
    summary="Find colliding schedules",
    tags=["schedules"],
    responses=documented(401, 403, 503),
)
def list_collisions(context: CurrentContext, _caller: Analyst) -> CollisionList:
    """How many threads the schedules of the coming week want, and where that is more than there are.

    A run counts with the 95th percentile of its job's durations. Takes `analytics:view_all`.
    """
    return CollisionList(pools=[PoolWeekBody.of(each) for each in collisions(context)])
