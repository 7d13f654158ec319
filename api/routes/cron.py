"""`/api/cron`: list jobs, and run one and wait for its outcome."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from callboard.api.dependencies import Caller, CurrentContext, CurrentWaiting, Viewer
from callboard.api.models.executions import Executed, Execution, ExecutionFailed, ExecutionGoesOn
from callboard.api.models.jobs import JobInfo, JobList
from callboard.api.models.runs import Arguments, error_text
from callboard.api.parameters import IdempotencyKey, JobName
from callboard.api.problems import ProblemResponse, documented, problem
from callboard.control.actions.run_job import AlreadyRunning, run_job
from callboard.control.patience import patience_s
from callboard.control.reads import jobs as job_reads
from callboard.control.reads import runs as run_reads
from callboard.control.reads.runs import Run
from callboard.core.errors import Disabled

router = APIRouter(prefix="/api/cron", tags=["cron"])

#: The longest that a caller may wait, in seconds.
MAX_WAIT_S = 3_600

Wait = Annotated[
    float | None,
    Query(
        ge=0,
        le=MAX_WAIT_S,
        allow_inf_nan=False,
        description="Wait at most this many seconds, then answer 202. By default as long as all of the"
        " job's attempts may take, up to an hour.",
    ),
]


@router.get("/jobs", summary="List jobs", responses=documented(401, 403, 503))
def list_jobs(context: CurrentContext, _caller: Viewer) -> JobList:
    """All jobs, and how many there are in each category."""
    found = job_reads.jobs(context)
    return JobList(
        total=len(found), jobs=[JobInfo.of(each) for each in found], categories=job_reads.categories(found)
    )


@router.get("/execute/{job}", summary="Get a job's configuration", responses=documented(401, 403, 404, 503))
def job_info(context: CurrentContext, _caller: Viewer, job: JobName) -> JobInfo:
    """The configuration of one job."""
    return JobInfo.of(job_reads.job(context, job))


@router.post(
    "/execute/{job}",
    summary="Run a job and wait for its outcome",
    response_model=Executed,
    responses=documented(400, 401, 403, 404, 409, 413, 422, 423, 503)
    | {
        202: {"model": ExecutionGoesOn, "description": "The wait was over first; the run goes on."},
        500: {"model": ExecutionFailed, "description": "The job failed."},
    },
)
async def execute(
    request: Request,
    context: CurrentContext,
    waiting: CurrentWaiting,
    caller: Caller,
    job: JobName,
    arguments: Annotated[Arguments | None, Body()] = None,
    wait: Wait = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Run a job now and answer when it has ended: 200 when it succeeded, 500 when it failed.

    A job that must not run twice at a time and is running answers 409; one that is switched off 423. A client
    that goes away does not end the run.
    """
    given = arguments or Arguments(args=[], kwargs={})
    try:
        requested = await run_in_threadpool(
            run_job, context, caller, job, args=given.args, kwargs=given.kwargs, if_running="refuse",
            idempotency_key=idempotency_key,
        )  # fmt: skip
    except AlreadyRunning as error:
        return _skipped(request, 409, job, str(error), "already_running")
    except Disabled as error:
        return _skipped(request, 423, job, str(error), "disabled")
    if wait is None:
        wait = await run_in_threadpool(patience_s, context, job, most_s=MAX_WAIT_S)
    await waiting.wait(requested.run_id, wait)
    detail = await run_in_threadpool(run_reads.run, context, requested.run_id)
    return _outcome(request, detail.run, detail.result)


def _outcome(request: Request, run: Run, result: object) -> Response:
    execution = Execution.of(run)
    headers = {"Location": f"/api/runs/{run.run_id}"}
    if not run.ended:
        body: Executed | ExecutionFailed | ExecutionGoesOn = ExecutionGoesOn(
            job_name=run.job,
            execution=execution,
            message=f"Job {run.job} has not ended yet",
            run_id=run.run_id,
        )
        return JSONResponse(body.model_dump(mode="json", by_alias=True), 202, headers)
    if run.state == "succeeded":
        body = Executed(
            job_name=run.job,
            execution=execution,
            message=f"Job {run.job} completed successfully",
            run_id=run.run_id,
            attempts=run.attempt,
            result=result,
        )
        return JSONResponse(body.model_dump(mode="json", by_alias=True), 200, headers)
    if run.state == "skipped":
        reason = (run.reason or "").partition(":")[0]
        if reason == "disabled":
            return _skipped(request, 423, run.job, f"The job {run.job} is switched off.", "disabled", run)
        if reason == "overlap":
            detail = f"The job {run.job} is already running; wait until it has ended."
            return _skipped(request, 409, run.job, detail, "already_running", run)
        return _skipped(request, 409, run.job, f"The run was skipped: {run.reason}.", "skipped", run)
    body = ExecutionFailed(
        job_name=run.job,
        error=error_text(run),
        execution=execution,
        run_id=run.run_id,
        attempts=run.attempt,
    )
    return JSONResponse(body.model_dump(mode="json", by_alias=True), 500, headers)


def _skipped(
    request: Request,
    status: int,
    job: str,
    detail: str,
    reason: Literal["already_running", "disabled", "skipped"],
    run: Run | None = None,
) -> ProblemResponse:
    more: dict[str, Any] = {"success": False, "jobName": job, "skipped": True, "reason": reason}
    if run is not None:
        more["runId"] = str(run.run_id)
    return problem(request, status, detail, **more)
