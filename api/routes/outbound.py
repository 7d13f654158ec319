"""The outbound runner's addresses: run it now, have a cron service run it, see its queue."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from callboard.api.dependencies import Analyst, Caller, CurrentContext, CurrentWaiting, bearer, get_principal
from callboard.api.etags import NOT_KEPT
from callboard.api.models.outbound import OutboundQueueBody, OutboundResult, OutboundRun, OutboundTriggered
from callboard.api.models.runs import error_text
from callboard.api.parameters import IdempotencyKey
from callboard.api.problems import documented, problem
from callboard.api.waiting import Waiting
from callboard.control.actions.run_job import AlreadyRunning, run_job
from callboard.control.auth import Principal
from callboard.control.context import Context
from callboard.control.patience import patience_s
from callboard.control.reads import runs as run_reads
from callboard.control.reads.outbound import outbound_queue
from callboard.core.errors import NotAuthenticated

router = APIRouter(tags=["outbound"])

JOB: Final = "run-outbound-jobs"
#: The longest that a caller may wait, in seconds.
MAX_WAIT_S: Final = 3_600
#: The most messages that a caller may ask a run to send.
MAX_MESSAGES: Final = 100_000
UNDER_WAY: Final = "A run is under way already, and sends what is due."
GOES_ON: Final = "The wait was over first; the run goes on."
#: On a GET that makes something happen: it has no `ETag`.
ACTS: Final = {"x-acts": True}

Most = Annotated[
    int | None,
    Query(
        alias="max",
        ge=1,
        le=MAX_MESSAGES,
        description="The most messages to send; by default all that are due.",
    ),
]
Wait = Annotated[
    float | None,
    Query(
        ge=0,
        le=MAX_WAIT_S,
        allow_inf_nan=False,
        description="Wait at most this many seconds, then answer 202; by default until the run has ended.",
    ),
]


def _responses(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    return documented(400, 401, 403, 404, 409, 413, 422, 423, 503) | {
        202: {"model": model, "description": "The wait was over first; the run goes on."},
        500: {"model": model, "description": "The run failed."},
    }


def cron_caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    context: CurrentContext,
) -> Principal:
    """Whose bearer token came with the request. A header that anybody can send is no token."""
    if credentials is None and "x-vercel-cron" in request.headers:
        raise NotAuthenticated(
            "The header x-vercel-cron is not accepted, since anybody can send it; send the header"
            " `Authorization: Bearer <CRON_SECRET>`."
        )
    return get_principal(request, credentials, context)


@router.get("/api/jobs/run-outbound", summary="Send outbound messages", response_model=OutboundRun,
    responses=_responses(OutboundRun), openapi_extra=ACTS,
)  # fmt: skip
@router.post("/api/jobs/run-outbound", summary="Send outbound messages", response_model=OutboundRun,
    responses=_responses(OutboundRun),
)  # fmt: skip
async def run_outbound(
    request: Request,
    context: CurrentContext,
    waiting: CurrentWaiting,
    caller: Caller,
    most: Most = None,
    wait: Wait = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send the messages that are due, and answer when the run has ended.

    While a run is under way it answers 200 at once, with a note: that run sends what is due.
    `JOB_RUNNER_TOKEN` is taken as `?token=` here, or better as a bearer token, which ends up in no log.
    """
    answer = await _run(request, context, waiting, caller, most, wait, idempotency_key)
    if isinstance(answer, Response):
        return answer
    status, body, headers = answer
    return JSONResponse(body.model_dump(mode="json", by_alias=True, exclude_none=True), status, headers)


@router.get("/api/cron/run-outbound-jobs", summary="Have the outbound messages sent, as a cron service does",
    response_model=OutboundTriggered, responses=_responses(OutboundTriggered), openapi_extra=ACTS,
)  # fmt: skip
async def run_outbound_by_cron(
    request: Request,
    context: CurrentContext,
    waiting: CurrentWaiting,
    caller: Annotated[Principal, Depends(cron_caller)],
    wait: Wait = None,
) -> Response:
    """Send the messages that are due, and answer when the run has ended.

    Callboard's own schedule does this every 30 seconds; this is for whoever wants another cron to do it. It
    takes a token: the header `x-vercel-cron` alone is refused.
    """
    answer = await _run(request, context, waiting, caller, None, wait, None)
    if isinstance(answer, Response):
        return answer
    status, run, headers = answer
    body = OutboundTriggered(
        ok=run.ok,
        message="Job runner triggered" if run.ok else "Job runner failed",
        job_runner_result=OutboundResult(**run.model_dump(exclude={"job_ids"})),
    )
    return JSONResponse(body.model_dump(mode="json", by_alias=True, exclude_none=True), status, headers)


@router.get("/api/outbound", summary="See the queue of messages", responses=documented(401, 403, 503))
def queue(context: CurrentContext, _caller: Analyst) -> OutboundQueueBody:
    """How many messages are queued, due and running, and how many were sent or failed of late."""
    return OutboundQueueBody.of(outbound_queue(context))


async def _run(
    request: Request,
    context: Context,
    waiting: Waiting,
    caller: Principal,
    most: int | None,
    wait: float | None,
    key: str | None,
) -> tuple[int, OutboundRun, dict[str, str]] | Response:
    """Run the job and wait for it: status, body and headers of the answer, or a problem."""
    kwargs = {} if most is None else {"max": most}
    try:
        requested = await run_in_threadpool(
            run_job, context, caller, JOB, kwargs=kwargs, if_running="refuse", idempotency_key=key
        )
    except AlreadyRunning:
        return 200, OutboundRun(note=UNDER_WAY), dict(NOT_KEPT)
    if wait is None:
        wait = await run_in_threadpool(patience_s, context, JOB, most_s=MAX_WAIT_S)
    await waiting.wait(requested.run_id, wait)
    detail = await run_in_threadpool(run_reads.run, context, requested.run_id)
    run, headers = detail.run, {"Location": f"/api/runs/{detail.run.run_id}", **NOT_KEPT}
    if not run.ended:
        return 202, OutboundRun(note=GOES_ON), headers
    if run.state == "succeeded":
        return 200, OutboundRun.of(detail.result), headers
    if run.state == "skipped":
        reason = run.reason or ""
        if reason.startswith("overlap"):
            return 200, OutboundRun(note=UNDER_WAY), headers
        if reason.startswith("disabled"):
            return problem(request, 423, f"The job {JOB} is switched off; switch it on to run it.")
        return problem(request, 409, f"The run was skipped: {reason}.")
    return 500, OutboundRun(ok=False, error=error_text(run)), headers
