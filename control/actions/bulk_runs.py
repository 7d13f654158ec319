"""Retry runs, or cancel them: some at once, or all that fit a search in a run of the job `bulk-runs`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal
from uuid import UUID

from callboard.control.actions.bulk import Started, begin
from callboard.control.actions.fleet import tell_fleet
from callboard.control.actions.run_job import send
from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.run_search import Wanted
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotFound
from callboard.core.limits import storable
from callboard.middleware.waiting import hurry_all
from callboard.storage import letters, run_bulk
from callboard.storage.queries import run_search as queries

What = Literal["retry", "cancel"]

#: The job that works off an action on many.
JOB: Final = "bulk-runs"
#: The most that are dealt with at once.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of some runs.

    `runs` are what those in `done` have become, in order: of a retry a new run, or the same one, brought
    forward; of a cancellation nothing. `failed` says of each of the others why.
    """

    done: list[UUID]
    runs: list[UUID]
    failed: dict[str, str]


def deal(
    context: Context, principal: Principal, what: What, run_ids: Sequence[UUID], *, reason: str | None = None
) -> Dealt:
    """Retry or cancel these runs, each by the rules for one; those it cannot be done with are passed by.

    Raises:
        NotAllowed: the role does not include `runs:retry` or `runs:cancel`, or not for one of the jobs.
        BadInput: there are none, or more than 100.
        NotFound: no run has one of these ids.
        Unavailable: Redis does not answer.
    """
    wanted = list(dict.fromkeys(run_ids))
    permission = f"runs:{what}"
    target = str(wanted[0]) if len(wanted) == 1 else f"{len(wanted)} runs"
    job = _any_job(principal)
    with audited(
        context, principal, permission=permission, action=f"{what}_runs", target=target, job=job
    ) as entry:
        if not 1 <= len(wanted) <= MOST:
            raise BadInput(f"Name 1 to {MOST} runs, or a search for more of them; these are {len(wanted)}.")
        connection = entry.connection
        rows = run_bulk.take(connection, wanted)
        if not rows:
            # Whose it would be is not known, so only who may do it with all jobs hears that there is none.
            principal.require(permission)
            raise NotFound("There is no run of these ids; they may be older than what is kept.")
        for row in rows:
            principal.require(permission, row["job"])
        if what == "cancel":
            why = run_bulk.reason_of(principal.name, reason)
            dealt = run_bulk.cancel(connection, rows, reason=why, by=principal.name)
        else:
            with reaching_redis():
                hurry = partial(hurry_all, context.redis, context.keys)
                dealt = run_bulk.retry(
                    connection, context.redis, context.keys, rows, by=principal.name, hurry=hurry
                )
        failed = {str(one.run_id): one.reason for one in dealt.failed}
        known = {row["run_id"] for row in rows}
        failed |= {str(each): "there is no such run" for each in wanted if each not in known}
        entry.before = {"runs": {str(row["run_id"]): row["state"] for row in rows}}
        entry.after = {"done": [str(run_id) for run_id in dealt.done], "failed": failed}
    waited = {row["run_id"] for row in rows if row["state"] == "pending"}
    again = [each if each in waited else letters.requeued_id(each) for each in dealt.done]
    if what == "cancel":
        tell_fleet(context)
        return Dealt(dealt.done, [], failed)
    if dealt.removing:
        with reaching_redis():
            letters.remove(context.redis, context.keys, dealt.removing)
    if again:
        send(context, again)
    return Dealt(dealt.done, again, failed)


def count(context: Context, what: What, wanted: Wanted) -> int:
    """How many runs `start` would deal with now.

    Raises:
        BadInput: the words are none of a search.
    """
    found = queries.filter_of_action(wanted.values(), utcnow())
    with context.read() as connection:
        return queries.count(connection, what, found)


def start(
    context: Context, principal: Principal, what: What, wanted: Wanted, *, reason: str | None = None
) -> Started:
    """Retry or cancel all runs that fit now, and none that are sent later, in a run of the job `bulk-runs`.

    What a retry deals with are runs that failed, are dead or wait for their next attempt; of those that were
    cancelled or skipped only where the search names that state. Who is limited to some jobs has to name jobs
    in the search. While an action of that kind and filter is under way, it is the one that is returned.

    Raises:
        NotAllowed: the role does not include `runs:retry` or `runs:cancel`, or not for these jobs.
        BadInput: the words are none of a search.
        NotFound: there are no such runs.
        Conflict: no worker has the job `bulk-runs`.
    """
    search = wanted.parsed()
    values = wanted.values()
    if said := storable(reason or "").strip():
        values["reason"] = said
    permission = f"runs:{what}"
    with audited(
        context,
        principal,
        permission=permission,
        action=f"{what}_many_runs",
        target=str(values["search"]) or "runs",
        job=search.jobs[0] if search.jobs else None,
    ) as entry:
        for job in search.jobs:
            principal.require(permission, job)
        found = queries.filter_of_action(values, utcnow())
        begun = begin(
            entry,
            principal,
            "runs",
            what,
            values,
            job=JOB,
            count=lambda connection: queries.count(connection, what, found),
        )
    if begun.sending:
        send(context, begun.sending)
    return begun.started


def _any_job(principal: Principal) -> str | None:
    """A job that somebody who is limited to some may do it with; each run's own is asked for as well."""
    jobs = None if principal.scope is None else principal.scope.jobs
    return min(jobs) if jobs else None
