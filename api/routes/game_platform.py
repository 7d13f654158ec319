"""`/api/admin/jobs` and `/api/jobs/run`: the game platform's jobs, and the kick for the queue's workers."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from callboard.api.curl import CurlRoute
from callboard.api.dependencies import CurrentContext, Runner, SignedIn
from callboard.api.models.game_platform import KickedBody, SweepRequest, SyncRequest, Triggered
from callboard.api.parameters import IdempotencyKey
from callboard.api.problems import documented
from callboard.control.actions.kick import kick
from callboard.control.actions.run_job import run_job
from callboard.control.auth import Principal
from callboard.control.context import Context

router = APIRouter(prefix="/api", tags=["job queue"], route_class=CurlRoute)

TRIGGER = documented(400, 401, 403, 404, 413, 422, 423, 503)


@router.post("/admin/jobs/trigger-sync", summary="Fetch recent solves", responses=TRIGGER)
def trigger_sync(
    context: CurrentContext,
    caller: SignedIn,
    response: Response,
    body: Annotated[SyncRequest | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> Triggered:
    """Queue the incremental sync, `game_platform_sync`. Takes the role operator.

    The address in `Location` tells what becomes of it.
    """
    asked = body or SyncRequest()
    return _trigger(context, caller, response, idempotency_key, "game_platform_sync", asked)


@router.post("/admin/jobs/trigger-totals-sweep", summary="Refresh totals", responses=TRIGGER)
def trigger_totals_sweep(
    context: CurrentContext,
    caller: SignedIn,
    response: Response,
    body: Annotated[SweepRequest | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> Triggered:
    """Queue the totals sweep, `game_platform_totals_sweep`. Takes the role operator."""
    asked = body or SweepRequest()
    return _trigger(context, caller, response, idempotency_key, "game_platform_totals_sweep", asked)


@router.post("/admin/jobs/trigger-full-sync", summary="Sync, then refresh totals", responses=TRIGGER)
def trigger_full_sync(
    context: CurrentContext,
    caller: SignedIn,
    response: Response,
    body: Annotated[SweepRequest | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> Triggered:
    """Queue `game_platform_full_sync`: the sync, and the totals 30 s after it. Takes the role operator."""
    asked = body or SweepRequest()
    return _trigger(context, caller, response, idempotency_key, "game_platform_full_sync", asked)


@router.post("/jobs/run", summary="Set waiting work going", responses=documented(401, 403, 503))
def run_worker(context: CurrentContext, caller: Runner) -> KickedBody:
    """Send what waits in the outbox and wake the workers of every queue. Takes `jobs:run`.

    Workers need no such kick in the ordinary course of things. Where nothing waits it does nothing.
    """
    return KickedBody.of(kick(context, caller))


def _trigger(
    context: Context, caller: Principal, response: Response, key: str | None, job: str, asked: SyncRequest
) -> Triggered:
    coach = None if asked.coach_id is None else str(asked.coach_id)
    kwargs: dict[str, Any] = {"coach_id": coach, "dry_run": asked.dry_run}
    if isinstance(asked, SweepRequest):
        kwargs["batch_size"] = asked.batch_size
    requested = run_job(context, caller, job, kwargs=kwargs, idempotency_key=key)
    response.headers["Location"] = f"/api/runs/{requested.run_id}"
    return Triggered.of(requested, asked)
