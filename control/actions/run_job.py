"""Run a job now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from callboard.control.actions.arguments import check_arguments
from callboard.control.audit import audited
from callboard.control.auth.principal import Principal
from callboard.control.context import Context
from callboard.control.reads.jobs import no_such_job
from callboard.core.errors import CallboardError, Disabled
from callboard.scheduler.relay import Relay
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import switches as queries

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Requested:
    """A run that will happen: `sent` to Redis, or `queued` in the outbox until Redis is back."""

    job: str
    run_id: UUID
    state: Literal["sent", "queued"]


def run_job(
    context: Context,
    principal: Principal,
    job: str,
    *,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Requested:
    """Ask for a run of the job, as soon as a worker is free.

    Raises:
        NotAllowed: the role does not include `jobs:run`.
        NotFound: no job has that name.
        Disabled: the job is switched off.
        BadInput: the job does not take these arguments.
    """
    given, named = list(args), dict(kwargs or {})
    with audited(context, principal, permission="jobs:run", action="run_job", target=job) as entry:
        row = None if "\0" in job else queries.switch(entry.connection, job)
        if row is None:
            raise no_such_job(job, job_queries.names(entry.connection))
        if not row["enabled"]:
            raise Disabled(f"The job {job} is switched off; switch it on to run it.")
        check_arguments(job, row["signature"], given, named)
        run_id = queries.request_run(
            entry.connection, job, args=given, kwargs=named, by=principal.name, trigger="manual"
        )
        entry.after = {"run_id": str(run_id), "args": given, "kwargs": named}
    return Requested(job=job, run_id=run_id, state=_send(context, run_id))


def _send(context: Context, run_id: UUID) -> Literal["sent", "queued"]:
    """Send it at once. Whatever prevents that, the scheduler's relay sends it later."""
    try:
        sent = Relay(context.writer, context.broker).send(run_ids=[run_id])
    except (RedisError, OSError, SQLAlchemyError, CallboardError) as error:
        log.warning(
            "The run waits in the outbox.",
            action="run_queued",
            run_id=str(run_id),
            error=type(error).__name__,
        )
        return "queued"
    return "sent" if sent else "queued"
