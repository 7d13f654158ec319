"""`/api/jobs/{job}/trends`, `/api/queues/{queue}/backlog` and `/waits`: how it came, and where it goes."""

from fastapi import APIRouter

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.trends import BacklogBody, JobTrendBody, WaitsBody
from callboard.api.parameters import JobName, QueueName, Window
from callboard.api.problems import documented
from callboard.control.reads.backlog import queue_backlog
from callboard.control.reads.health_trends import job_trend
from callboard.control.reads.waits import queue_waits

router = APIRouter(prefix="/api", tags=["queue health"])

READ = documented(401, 403, 404, 422, 503)


@router.get("/jobs/{job}/trends", summary="Get a job's trends", responses=READ)
def trends_of_job(
    context: CurrentContext, _caller: Analyst, job: JobName, window: Window = "day"
) -> JobTrendBody:
    """Throughput, failures and percentiles of a job over time, against the window before and what is usual.

    Takes the permission `analytics:view_all`.
    """
    return JobTrendBody.of(job, window, job_trend(context, job, window))


@router.get("/queues/{queue}/backlog", summary="Get a queue's backlog", responses=READ)
def backlog_of_queue(
    context: CurrentContext, _caller: Analyst, queue: QueueName, window: Window = "day"
) -> BacklogBody:
    """How much waited over time, and when it drains or crosses its limit at the present pace."""
    return BacklogBody.of(queue, window, queue_backlog(context, queue, window))


@router.get("/queues/{queue}/waits", summary="Get what a queue's runs waited for", responses=READ)
def waits_of_queue(
    context: CurrentContext, _caller: Analyst, queue: QueueName, window: Window = "day"
) -> WaitsBody:
    """The parts that waits were made of, and the jobs that held the threads meanwhile, the worst first."""
    return WaitsBody.of(queue, window, queue_waits(context, queue, window))
