"""`/cron`: jobs, the health of queues, and upkeep, at the addresses of the fifth system's manual."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from callboard.api.dependencies import Analyst, Caller, CurrentContext, CurrentWaiting
from callboard.api.models import health as models
from callboard.api.models.admin import Queued, SummaryBody, Toggle, Toggled
from callboard.api.models.control import BreakerBody
from callboard.api.models.executions import Executed, ExecutionFailed, ExecutionGoesOn
from callboard.api.models.runs import Arguments
from callboard.api.models.trends import TrendBody
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import IdempotencyKey, JobName, QueueName, Window
from callboard.api.problems import documented
from callboard.api.routes import admin, cron
from callboard.control.actions.run_job import run_job
from callboard.control.reads import health as reads
from callboard.control.reads import jobs as job_reads
from callboard.control.reads.breakers import breakers
from callboard.control.reads.health_trends import queue_trend
from callboard.control.reads.summary import summarise

router = APIRouter(prefix="/cron", tags=["queue health"], route_class=OnceRoute)

READ = documented(401, 403, 503)
READ_ONE = documented(401, 403, 404, 422, 503)
CHANGE = documented(400, 401, 403, 404, 409, 413, 422, 423, 503)

#: The jobs that clean up: the first of them that is declared.
CLEANUPS = ("weekly-cleanup", "cleanup-old-logs")
HEALTH_CHECK = "health-check"


@router.get("/jobs/stats", summary="Get the figures of all jobs", responses=READ)
def job_stats(context: CurrentContext, _caller: Analyst) -> models.JobStatsList:
    """Every job with its figures of the last 30 days. Takes the permission `analytics:view_all`."""
    found = job_reads.jobs(context)
    return models.JobStatsList(
        total=len(found),
        summary=SummaryBody.of(summarise(found)),
        jobs=[models.JobStatsEntry.of(each) for each in found],
    )


@router.post("/jobs/{job}/toggle", summary="Switch a cron job on or off", dependencies=ONCE, responses=CHANGE)
def toggle(context: CurrentContext, caller: Caller, job: JobName, body: Annotated[Toggle, Body()]) -> Toggled:
    """Switch a job on or off in the running fleet; runs under way go on. Takes the role operator."""
    return admin.toggle(context, caller, job, body)


@router.post("/jobs/{job}/execute", summary="Run a cron job now", responses=CHANGE)
def execute(
    context: CurrentContext,
    caller: Caller,
    job: JobName,
    arguments: Annotated[Arguments | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> Queued:
    """Ask for a run of a job and answer at once. Takes the role operator."""
    return admin.run(context, caller, job, arguments, idempotency_key)


@router.get("/health/queues", summary="Get the health of all queues", responses=READ)
def health_of_queues(context: CurrentContext, _caller: Analyst) -> models.QueueHealthList:
    """Score, deductions, bottlenecks and recommendations of every queue, over the last 15 minutes."""
    found = reads.queues_health(context)
    return models.QueueHealthList(queues=[models.QueueHealthBody.of(each) for each in found])


@router.get("/health/queues/{queue}", summary="Get the health of a queue", responses=READ_ONE)
def health_of_queue(context: CurrentContext, _caller: Analyst, queue: QueueName) -> models.QueueHealthBody:
    """Score, deductions, bottlenecks and recommendations of one queue, over the last 15 minutes."""
    return models.QueueHealthBody.of(reads.queue_health(context, queue))


@router.get("/health/bottlenecks", summary="Detect bottlenecks", responses=READ)
def bottlenecks(context: CurrentContext, _caller: Analyst) -> models.BottleneckList:
    """What holds queues up, each with its evidence; by queue, and within one the verdict first."""
    return models.BottleneckList(bottlenecks=_bottlenecks(reads.queues_health(context)))


@router.get("/health/recommendations/{queue}", summary="Get recommendations", responses=READ_ONE)
def recommendations(context: CurrentContext, _caller: Analyst, queue: QueueName) -> models.RecommendationList:
    """What to do about each bottleneck of a queue. Empty where there is none."""
    found = models.QueueHealthBody.of(reads.queue_health(context, queue))
    return models.RecommendationList(queue=queue, recommendations=found.recommendations)


@router.get("/health/trends/{queue}", summary="Get performance trends", responses=READ_ONE)
def trends(
    context: CurrentContext,
    _caller: Analyst,
    queue: QueueName,
    window: Window = "day",
) -> TrendBody:
    """Throughput, failures and percentiles of a queue, against the window before and what is usual."""
    return TrendBody.of(queue, window, queue_trend(context, queue, window))


@router.get("/status/overview", summary="Get the complete status", responses=READ)
def status_overview(context: CurrentContext, _caller: Analyst) -> models.StatusOverview:
    """Jobs, queues, circuit breakers and bottlenecks, and one word for all of it."""
    queues, found = reads.queues_health(context), breakers(context)
    status = reads.overall(queues)
    if status in ("healthy", "unknown") and any(each.state != "closed" for each in found):
        status = "degraded"
    return models.StatusOverview(
        status=status,
        jobs=SummaryBody.of(summarise(job_reads.jobs(context))),
        queues=[models.QueueHealthBody.of(each) for each in queues],
        circuit_breakers=[BreakerBody.of(each) for each in found],
        bottlenecks=_bottlenecks(queues),
    )


@router.post("/maintenance/cleanup", summary="Clean up now", responses=CHANGE)
def cleanup(
    context: CurrentContext, caller: Caller, idempotency_key: IdempotencyKey = None
) -> models.Cleanup:
    """Run the job `weekly-cleanup`, or `cleanup-old-logs` where there is none; answers at once."""
    declared = {each.name for each in job_reads.jobs(context)}
    job = next((name for name in CLEANUPS if name in declared), CLEANUPS[-1])
    requested = run_job(context, caller, job, idempotency_key=idempotency_key)
    return models.Cleanup(
        job_name=job,
        run_ids=[str(requested.run_id)],
        message=f"Job {job} has been queued for execution",
    )


@router.post(
    "/monitoring/health-check",
    summary="Check the health now",
    response_model=Executed,
    responses=CHANGE
    | {
        202: {"model": ExecutionGoesOn, "description": "The wait was over first; the run goes on."},
        500: {"model": ExecutionFailed, "description": "The job failed."},
    },
)
async def check_health(
    request: Request,
    context: CurrentContext,
    waiting: CurrentWaiting,
    caller: Caller,
    wait: cron.Wait = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Run the job `health-check` and answer with its outcome when it has ended."""
    return await cron.execute(
        request, context, waiting, caller, HEALTH_CHECK, wait=wait, idempotency_key=idempotency_key
    )


def _bottlenecks(found: tuple[reads.QueueHealth, ...]) -> list[models.BottleneckBody]:
    return [models.BottleneckBody.of(each) for queue in found for each in queue.bottlenecks]
