"""Run a job now."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from callboard.control.actions.arguments import check_arguments
from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.names import UnknownJob
from callboard.core.errors import BadInput, CallboardError, Conflict, Disabled
from callboard.core.limits import storable
from callboard.core.logging import get_logger
from callboard.middleware.broker import ONCE_SECONDS
from callboard.scheduler.relay import Relay
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import switches as queries
from callboard.storage.recorder.batch import run_id_of

log = get_logger(__name__)

#: Seconds for which a key is taken by a run that is not committed: as much as a crash in between costs.
CLAIM_SECONDS = 60

#: The longest idempotency key, in characters.
MAX_KEY = 200


class AlreadyRunning(Conflict):
    """The job is running and must not run twice at a time."""

    def __init__(self, job: str) -> None:
        super().__init__(f"The job {job} is already running; wait until it has ended.")


@dataclass(frozen=True, slots=True)
class Requested:
    """A run that will happen: `sent` to Redis, or `queued` in the outbox until Redis is back."""

    job: str
    run_id: UUID
    state: Literal["sent", "queued"]
    #: Whether it is the run that there was already for the idempotency key.
    existing: bool = False


def run_job(
    context: Context,
    principal: Principal,
    job: str,
    *,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    if_running: Literal["send", "refuse"] = "send",
    idempotency_key: str | None = None,
) -> Requested:
    """Ask for a run of the job, as soon as a worker is free.

    A job that must not run twice at a time is skipped by its worker while it runs; `refuse` says so at once.
    Within a day, the same idempotency key is the same run, also where code has sent the first.

    Raises:
        NotAllowed: the role does not include `jobs:run`.
        NotFound: no job has that name.
        Disabled: the job is switched off.
        BadInput: the job does not take these arguments.
        Unavailable: there is an idempotency key, and Redis does not answer.
        AlreadyRunning: the job is running, must not run twice at a time, and `if_running` is `refuse`.
    """
    given, named = list(args), dict(kwargs or {})
    with ExitStack() as claims:
        with audited(
            context, principal, permission="jobs:run", action="run_job", target=job, job=job
        ) as entry:
            row = queries.switch(entry.connection, storable(job))
            if row is None:
                raise UnknownJob(job, job_queries.names(entry.connection))
            if not row["enabled"]:
                raise Disabled(f"The job {job} is switched off; switch it on to run it.")
            check_arguments(job, row["signature"], given, named)
            run_id = uuid4()
            if idempotency_key is not None:
                existing = _claim(context, job, idempotency_key, run_id, claims)
                if existing is not None:
                    entry.after = {"run_id": str(existing), "existing": True}
                    return Requested(job=job, run_id=existing, state="sent", existing=True)
            if if_running == "refuse" and _is_held(context, job, row["options"]):
                raise AlreadyRunning(job)
            queries.request_run(
                entry.connection,
                job,
                args=given,
                kwargs=named,
                by=principal.name,
                trigger="manual",
                run_id=run_id,
            )
            entry.after = {"run_id": str(run_id), "args": given, "kwargs": named}
        claims.pop_all()
    if idempotency_key is not None:
        with reaching_redis():
            context.redis.expire(_key_name(context, job, idempotency_key), ONCE_SECONDS)
    return Requested(job=job, run_id=run_id, state=send(context, [run_id]))


def _claim(context: Context, job: str, key: str, run_id: UUID, claims: ExitStack) -> UUID | None:
    """Take an idempotency key for a run until `claims` gives it back; return the run that has it already."""
    if not 1 <= len(key) <= MAX_KEY:
        raise BadInput(f"An idempotency key has 1 to {MAX_KEY} characters; this one has {len(key)}.")
    name = _key_name(context, job, key)
    with reaching_redis():
        found: Any = context.redis.set(name, str(run_id), nx=True, get=True, ex=CLAIM_SECONDS)
    if found is not None:
        return UUID(run_id_of({"id": found.decode()}))
    claims.callback(context.redis.delete, name)
    return None


def _key_name(context: Context, job: str, key: str) -> str:
    return context.keys.once(job, storable(key))


def _is_held(context: Context, job: str, options: Mapping[str, Any]) -> bool:
    """Whether a run of the job holds the mutex that another one would be skipped for.

    Asked of Redis, where the workers take it: a run that died leaves PostgreSQL saying that it is processing.
    """
    mutex = options.get("mutex")
    if not mutex or options.get("overlap", "skip") != "skip" or "{" in str(mutex):
        return False
    try:
        return bool(context.redis.exists(context.keys.mutex(job if mutex is True else str(mutex))))
    except (RedisError, OSError, CallboardError):
        return False


def send(context: Context, run_ids: Sequence[UUID]) -> Literal["sent", "queued"]:
    """Send runs of the outbox at once. Whatever prevents that, the scheduler's relay sends them later."""
    try:
        # Finds nothing where a scheduler's relay was faster; then it is sent all the same.
        Relay(context.writer, context.broker).send(run_ids=run_ids)
    except (RedisError, OSError, SQLAlchemyError, CallboardError) as error:
        log.warning(
            "The run waits in the outbox.",
            action="run_queued",
            run_ids=[str(run_id) for run_id in run_ids],
            error=type(error).__name__,
        )
        return "queued"
    return "sent"
