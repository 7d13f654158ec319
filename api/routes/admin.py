"""`/api/admin/cron-jobs`: everything about jobs, switch them, run them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from callboard.api.dependencies import Analyst, Caller, CurrentContext
from callboard.api.models.admin import (
    History,
    Overview,
    Queued,
    SummaryBody,
    TimelinePoint,
    Toggle,
    Toggled,
)
from callboard.api.models.jobs import JobDetail, JobStats
from callboard.api.models.runs import Arguments, RunBody, RunningJob
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import IdempotencyKey, JobName
from callboard.api.problems import documented
from callboard.control.actions.run_job import run_job
from callboard.control.actions.switches import set_enabled
from callboard.control.reads import jobs as job_reads
from callboard.control.reads import runs as run_reads
from callboard.control.reads.summary import summarise
from callboard.control.reads.trends import timeline

router = APIRouter(prefix="/api/admin/cron-jobs", tags=["admin"], route_class=OnceRoute)


@router.get("", summary="List jobs with their figures", responses=documented(401, 403, 503))
def overview(context: CurrentContext, _caller: Analyst) -> Overview:
    """All jobs with figures of the last 30 days, the figures over all of them, and what is running.

    Takes the permission `analytics:view_all`.
    """
    found = job_reads.jobs(context)
    return Overview(
        summary=SummaryBody.of(summarise(found)),
        jobs=[JobDetail.of(each) for each in found],
        categories=job_reads.categories(found),
        running_jobs=[RunningJob.of(each) for each in run_reads.running(context)],
    )


@router.post(
    "/{job}/toggle",
    summary="Switch a job on or off",
    dependencies=ONCE,
    responses=documented(401, 403, 404, 413, 422, 503),
)
def toggle(context: CurrentContext, caller: Caller, job: JobName, body: Annotated[Toggle, Body()]) -> Toggled:
    """Switch a job on or off in the running fleet; runs under way go on. Takes the role operator."""
    switched = set_enabled(context, caller, job, body.enabled)
    word = "enabled" if switched.enabled else "disabled"
    return Toggled(job_name=job, enabled=switched.enabled, message=f"Job {job} has been {word}")


@router.post(
    "/{job}/run",
    summary="Run a job without waiting for it",
    responses=documented(400, 401, 403, 404, 413, 422, 423, 503),
)
def run(
    context: CurrentContext,
    caller: Caller,
    job: JobName,
    arguments: Annotated[Arguments | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> Queued:
    """Ask for a run of a job and answer at once. Takes the role operator."""
    given = arguments or Arguments(args=[], kwargs={})
    requested = run_job(
        context, caller, job, args=given.args, kwargs=given.kwargs, idempotency_key=idempotency_key
    )
    note = (
        "Job is running asynchronously. Check execution history for results."
        if requested.state == "sent"
        else "Redis does not answer; the job is kept and runs as soon as it does."
    )
    return Queued(
        job_name=job,
        message=f"Job {job} has been queued for execution",
        note=note,
        run_id=requested.run_id,
    )


@router.get("/{job}/history", summary="Get a job's history", responses=documented(401, 403, 404, 422, 503))
def history(
    context: CurrentContext,
    _caller: Analyst,
    job: JobName,
    limit: Annotated[int, Query(ge=1, le=run_reads.MAX_HISTORY, description="The most runs to return.")] = 50,
    days: Annotated[
        int, Query(ge=1, le=run_reads.MAX_DAYS, description="The span of runs, figures and timeline.")
    ] = 30,
) -> History:
    """A job's figures, its latest runs and its hours (UTC, empty ones too). Takes `analytics:view_all`."""
    found = job_reads.job(context, job, days=days)
    return History(
        job_name=found.name,
        job=JobDetail.of(found),
        stats=JobStats.of(found.stats),
        history=[RunBody.of(each) for each in run_reads.history(context, job, limit=limit, days=days)],
        timeline=[TimelinePoint.of(each) for each in timeline(context, job, days=days)],
    )
