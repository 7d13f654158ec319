"""Cancel a run, or have it tried again now."""

from dataclasses import dataclass
from typing import Any, Literal
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
from callboard.core.limits import cut, storable
from callboard.core.plain import plain
from callboard.middleware.events import bounded_arguments
from callboard.middleware.waiting import find_waiting, hurry
from callboard.storage import letters
from callboard.storage.queries import Row, switches
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import runs as queries

#: The longest reason that is kept, in characters.
MAX_REASON = 500


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
        said = storable(reason or "").strip()
        why = cut(f"cancelled by {principal.name}{': ' if said else ''}{said}", MAX_REASON)
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
    removing: list[list[str]] = []
    with audited(
        context,
        principal,
        permission="runs:retry",
        action="retry_run",
        target=str(wanted),
        job=None if row is None else row["job"],
    ) as entry:
        connection = entry.connection
        row = queries.locked(connection, wanted)
        if row is None:
            raise NotFound(f"There is no run {wanted}; it may be older than what is kept.")
        job: str = row["job"]
        if row["state"] == "pending":
            with reaching_redis():
                waits = queries.hurry_unsent(connection, wanted) or _hurry(context, row)
            if not waits:
                raise Conflict(f"The run {wanted} waits in its queue; it goes as soon as a worker is free.")
            again = wanted
        elif row["state"] in ("processing", "succeeded"):
            word = "is running" if row["state"] == "processing" else "has succeeded"
            raise Conflict(f"The run {wanted} {word}; run the job {job} anew instead.")
        else:
            again, removing = _again(context, principal, connection, row)
        entry.before, entry.after = {"state": row["state"]}, {"run_id": str(again)}
    if removing:
        with reaching_redis():
            letters.remove(context.redis, context.keys, removing)
    return Retried(again, job, wanted, send(context, [again]))


def _again(
    context: Context, principal: Principal, connection: Connection, row: Row
) -> tuple[UUID, list[list[str]]]:
    """A new run that does an ended one again, and the dead letters to be removed for it."""
    old: UUID = row["run_id"]
    job: str = row["job"]
    new = letters.requeued_id(old)
    declared = switches.switch(connection, job)
    if declared is None:
        raise UnknownJob(job, job_queries.names(connection))
    if not declared["enabled"]:
        raise Disabled(f"The job {job} is switched off; switch it on to run it.")
    if queries.run(connection, new) is not None:
        raise Conflict(f"The run {old} has been done again already, as run {new}.")
    if row["dead_letter"] is not None:
        with reaching_redis():
            found = letters.take(connection, [old])
            dealt = letters.deal(connection, context.redis, context.keys, "requeue", found, by=principal.name)
        if dealt.done:
            return new, dealt.removing
    if _is_cut(row["args"]):
        raise Conflict(f"The arguments of run {old} were too long to be kept; send the job {job} anew.")
    switches.request_run(
        connection,
        job,
        args=row["args"] or [],
        kwargs=row["kwargs"] or {},
        by=principal.name,
        trigger="manual",
        run_id=new,
    )
    queries.note_retry(connection, new, old)
    return new, []


def _hurry(context: Context, row: Row) -> bool:
    found = find_waiting(context.redis, context.keys, [row["queue"]], str(row["run_id"]))
    return found is not None and found.delayed and hurry(context.redis, context.keys, found)


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


def _is_cut(args: Any) -> bool:
    return isinstance(args, list) and len(args) == 1 and str(args[0]).startswith("[cut: a message of ")


def _find(context: Context, run_id: UUID) -> Row | None:
    with context.read() as connection:
        return queries.run(connection, run_id)
