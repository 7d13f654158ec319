"""Pause a queue, a job or everything, and resume it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from callboard.control.actions.fleet import tell_fleet
from callboard.control.audit import Entry, audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.names import UnknownJob
from callboard.control.reads.pauses import Pause, Scope, as_pause
from callboard.core.errors import BadInput, NotFound
from callboard.core.limits import storable
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import pauses as queries

#: The longest reason, in characters.
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause, whether it is new, and how many runs under way were cancelled."""

    pause: Pause
    new: bool
    cancelled: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """What goes on, and whether it was paused at all."""

    scope: Scope
    name: str
    changed: bool


def pause(
    context: Context,
    principal: Principal,
    scope: Scope,
    name: str = "",
    *,
    reason: str,
    cancel_running: bool = False,
) -> Paused:
    """Have workers take no more work of a queue, of a job or at all. What waits stays, and burns nothing.

    Runs under way finish, or are cancelled with `cancel_running`. Where it is paused already, the reason is
    replaced.

    Raises:
        NotAllowed: the role does not include `queues:pause`, for a job `jobs:pause`.
        NotFound: no job, or no job's queue, has that name.
        BadInput: no reason is given, or a very long one.
    """
    with _audited(context, principal, "pause", scope, name) as entry:
        why = storable(reason).strip()
        if not 1 <= len(why) <= MAX_REASON:
            raise BadInput(f"Give a reason for the pause, of 1 to {MAX_REASON} characters.")
        connection = entry.connection
        if scope == "job" and name not in (jobs := job_queries.names(connection)):
            raise UnknownJob(name, jobs)
        if scope == "queue" and name not in (queues := job_queries.queues(connection)):
            raise NotFound(f"There is no queue {name[:100]!r}; the queues are {', '.join(queues)}.")
        before = queries.pause(connection, scope, name)
        after = queries.set_pause(connection, scope, name, reason=why, by=principal.name)
        cancelled = 0
        if cancel_running:
            ended = f"paused: {why}"
            cancelled = queries.end_running(connection, scope, name, reason=ended, by=principal.name)
        entry.before = None if before is None else {"reason": before["reason"], "by": before["paused_by"]}
        entry.after = {"reason": why, "by": principal.name, "cancelled": cancelled}
    tell_fleet(context)
    return Paused(as_pause(after), before is None, cancelled)


def resume(context: Context, principal: Principal, scope: Scope, name: str = "") -> Resumed:
    """Have a queue, a job or everything go on. What is not paused is left as it is.

    Raises:
        NotAllowed: the role does not include `queues:pause`, for a job `jobs:pause`.
    """
    with _audited(context, principal, "resume", scope, name) as entry:
        before = queries.pause(entry.connection, scope, storable(name))
        queries.end_pause(entry.connection, scope, storable(name))
        if before is not None:
            entry.before = {"reason": before["reason"], "by": before["paused_by"]}
    tell_fleet(context)
    return Resumed(scope, name, before is not None)


def _audited(
    context: Context, principal: Principal, action: str, scope: Scope, name: str
) -> AbstractContextManager[Entry]:
    permission = "jobs:pause" if scope == "job" else "queues:pause"
    job = name if scope == "job" else None
    target = f"{scope} {name}".strip()
    return audited(context, principal, permission=permission, action=action, target=target, job=job)
