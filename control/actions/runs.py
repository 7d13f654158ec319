"""Cancel a run, or have it tried again now."""

from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from callboard.control.actions.fleet import tell_fleet
from callboard.control.actions.run_job import send
from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.names import UnknownJob
from callboard.control.reads.runs import as_run_id
from callboard.core.errors import Conflict, Disabled, NotFound
from callboard.core.plain import plain
from callboard.middleware.events import bounded_arguments
from callboard.middleware.waiting import find_waiting, hurry_all
from callboard.storage import letters, run_bulk
from callboard.storage.queries import Row
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import runs as queries


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A run that was cancelled, and the state that it was in: `pending` or `processing`."""

    run_id: UUID
    job: str
    was: str


@dataclass(frozen=True, slots=True)
class Retried:
    """What a run that is tried again has become: `run_id` is a new run, or the same one, brought forward."""

    run_id: UUID
    job: str
    of: UUID
    state: Literal["sent", "queued"]


def cancel(
    context: Context, principal: Principal, run_id: UUID | str, *, reason: str | None = None
) -> Cancelled:
    """Cancel a run: one that waits never starts, one that runs is interrupted within a second.

    It is `cancelled` at once, and not tried again.

    Raises:
        NotAllowed: the role does not include `runs:cancel`.
        NotFound: no run has that id.
        Conflict: it has ended.
        BadInput: the id is not a UUID.
    """
    wanted = as_run_id(run_id)
    row = _find(context, wanted)
    with audited(
        context,
        principal,
        permission="runs:cancel",
        action="cancel_run",
        target=str(wanted),
        job=None if row is None else row["job"],
    ) as entry:
        why = run_bulk.reason_of(principal.name, reason)
        row = row or _note_unknown(context, entry.connection, wanted)
        principal.require("runs:cancel", row["job"])
        if not queries.end(entry.connection, wanted, "cancelled", reason=why, by=principal.name):
            raise Conflict(f"The run {wanted} has ended already.")
        entry.before, entry.after = {"state": row["state"]}, {"state": "cancelled", "reason": why}
    tell_fleet(context)
    return Cancelled(wanted, row["job"], row["state"])


def retry(context: Context, principal: Principal, run_id: UUID | str) -> Retried:
    """Have a run tried again now.

    One that waits for its next attempt goes at once. One that failed, was cancelled, was skipped or is dead
    stays as it is, and is done again as a new run that names it.

    Raises:
        NotAllowed: the role does not include `runs:retry`.
        NotFound: no run has that id.
        Conflict: it is running, waits in its queue already, has succeeded or has been retried.
        Disabled: its job is switched off.
        Unavailable: Redis does not answer.
    """
    wanted = as_run_id(run_id)
    row = _find(context, wanted)
    with audited(
        context,
        principal,
        permission="runs:retry",
        action="retry_run",
        target=str(wanted),
        job=None if row is None else row["job"],
    ) as entry:
        connection = entry.connection
        rows = run_bulk.take(connection, [wanted])
        if not rows:
            raise NotFound(f"There is no run {wanted}; it may be older than what is kept.")
        job, state = rows[0]["job"], rows[0]["state"]
        with reaching_redis():
            hurry = partial(hurry_all, context.redis, context.keys)
            dealt = run_bulk.retry(
                connection, context.redis, context.keys, rows, by=principal.name, hurry=hurry
            )
        for refused in dealt.failed:
            if refused.kind == "unknown":
                raise UnknownJob(job, job_queries.names(connection))
            if refused.kind == "off":
                raise Disabled(f"The job {job} is switched off; switch it on to run it.")
            raise Conflict(f"The run {wanted} is not tried again: {refused.reason}.")
        again = wanted if state == "pending" else letters.requeued_id(wanted)
        entry.before, entry.after = {"state": state}, {"run_id": str(again)}
    if dealt.removing:
        with reaching_redis():
            letters.remove(context.redis, context.keys, dealt.removing)
    return Retried(again, job, wanted, send(context, [again]))


def _note_unknown(context: Context, connection: Connection, run_id: UUID) -> Row:
    """The run of a message that code has sent and no worker has begun: only Redis knows of it until then."""
    with reaching_redis():
        found = find_waiting(context.redis, context.keys, letters.queues(connection), str(run_id))
    if found is None:
        raise NotFound(f"There is no run {run_id}; it may be older than what is kept.")
    message = found.message
    args, kwargs = bounded_arguments(message, found.size)
    queries.note_waiting(
        connection,
        run_id=run_id,
        job=message.actor_name,
        queue=found.queue,
        at_ms=message.message_timestamp,
        attempt=message.options.get("retries", 0) + 1,
        args=plain(list(args)),
        kwargs=plain(kwargs),
    )
    row = queries.run(connection, run_id)
    assert row is not None  # noqa: S101 - it has just been written
    return row


def _find(context: Context, run_id: UUID) -> Row | None:
    with context.read() as connection:
        return queries.run(connection, run_id)
