"""The application: routes, errors, documentation, limits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from callboard import __version__
from callboard.api import docs, openapi, problems
from callboard.api.access_log import AccessLog
from callboard.api.body_limit import BodyLimit
from callboard.api.etags import ETags
from callboard.api.routes import (
    admin,
    alerts,
    anomalies,
    audit,
    breakers,
    cron,
    cron_health,
    game_platform,
    health,
    ledger,
    letters,
    limits,
    metrics,
    outbound,
    pauses,
    run_bulk,
    runs,
    schedules,
    tokens,
    trends,
    users,
    workers,
)
from callboard.api.waiting import Waiting
from callboard.control.context import Context
from callboard.control.reads.runs import ended
from callboard.core.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The API. Nothing is connected to before the first request needs it."""
    context = Context(settings, application_name="callboard api")

    async def find_ended(run_ids: list[UUID], since: datetime) -> list[UUID]:
        return await run_in_threadpool(ended, context, run_ids, since=since)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.waiting.close()
        await run_in_threadpool(context.close)

    app = FastAPI(
        title="Callboard",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    app.state.waiting = Waiting(find_ended)
    for module in (
        cron, outbound, admin, game_platform, run_bulk, runs, ledger, schedules, pauses, limits, breakers,
        letters, users, tokens, audit, health, cron_health, trends, alerts, anomalies, metrics, workers,
    ):  # fmt: skip
        app.include_router(module.router)
    problems.install(app)
    openapi.install(app)
    docs.install(app)
    app.add_middleware(ETags)
    app.add_middleware(BodyLimit, most=problems.MAX_BODY, refuse=problems.too_large)
    app.add_middleware(AccessLog, unforeseen=problems.unforeseen)
    return app
