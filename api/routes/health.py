"""`/healthz` and `/readyz`: for whoever keeps this process running. They take no token."""

import anyio
from anyio import CapacityLimiter
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from callboard.api.dependencies import CurrentContext
from callboard.control.context import Context
from callboard.control.reads.readiness import CHECKS
from callboard.core.errors import CallboardError

router = APIRouter(tags=["health"])

#: A server that has not answered by then counts as away, in seconds.
PATIENCE_S = 3.0
#: Checks that hang keep their threads; so many may, then further ones fail at once.
_limiter = CapacityLimiter(12)


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: str = "ok"


class Ready(BaseModel):
    """Whether requests can be served, and what is well: `ok`, or a sentence."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "ready", "checks": {"postgresql": "ok", "schema": "ok", "redis": "ok"}}]
        }
    )

    status: str
    checks: dict[str, str]


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Alive:
    """Answers as long as the process does, whatever else is away."""
    return Alive()


@router.get(
    "/readyz",
    summary="Can requests be served?",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Something that is needed is away; `checks` says what."}},
)
async def readyz(context: CurrentContext) -> JSONResponse:
    """Asks PostgreSQL, its schema and Redis."""
    found: dict[str, str] = {}

    async def ask(name: str) -> None:
        found[name] = await _check(name, context)

    async with anyio.create_task_group() as group:
        for name in CHECKS:
            group.start_soon(ask, name)
    well = all(answer == "ok" for answer in found.values())
    body = Ready(status="ready" if well else "unavailable", checks={name: found[name] for name in CHECKS})
    return JSONResponse(body.model_dump(), 200 if well else 503)


async def _check(name: str, context: Context) -> str:
    try:
        with anyio.fail_after(PATIENCE_S):
            await anyio.to_thread.run_sync(CHECKS[name], context, abandon_on_cancel=True, limiter=_limiter)
    except TimeoutError:
        return f"It has not answered within {PATIENCE_S:g} seconds."
    except CallboardError as error:
        return str(error)
    return "ok"
