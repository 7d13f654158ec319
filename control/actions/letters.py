"""Requeue dead letters, or drop them: some at once, or many in a run of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from callboard.control.actions.run_job import send
from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.letters import BulkAction, Wanted, as_action
from callboard.core.errors import BadInput, Conflict, NotFound
from callboard.storage import letters as engine
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import letters as queries
from callboard.storage.queries import switches

What = Literal["requeue", "drop"]

#: The job that works off an action on many.
JOB: Final = "dead-letters"
#: The most that are dealt with at once.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of some dead letters: `runs` are the new ones, of the old ones in `done`, in order.

    `failed` says of each that could not be requeued why; what had no dead letter any more is in neither.
    """

    done: list[UUID]
    runs: list[UUID]
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Started:
    """An action on many, and whether it is new: the same one, asked for twice, is worked off once."""

    action: BulkAction
    new: bool


def deal(context: Context, principal: Principal, what: What, run_ids: Sequence[UUID]) -> Dealt:
    """Requeue or drop the dead letters of these runs. One that has none any more is passed by.

    Raises:
        NotAllowed: the role does not include `dead:requeue` or `dead:drop`.
        BadInput: there are none, or more than 100.
        NotFound: none of them has a dead letter.
        Unavailable: Redis does not answer.
    """
    target = str(run_ids[0]) if len(run_ids) == 1 else f"{len(run_ids)} dead letters"
    with audited(
        context, principal, permission=f"dead:{what}", action=f"{what}_dead_letters", target=target
    ) as entry:
        if not 1 <= len(run_ids) <= MOST:
            raise BadInput(f"Name 1 to {MOST} runs, or a filter for more of them; these are {len(run_ids)}.")
        found = engine.take(entry.connection, run_ids)
        if not found:
            raise NotFound("None of these runs has a dead letter; it may have been requeued or dropped.")
        with reaching_redis():
            dealt = engine.deal(entry.connection, context.redis, context.keys, what, found, by=principal.name)
        runs = [engine.requeued_id(run_id) for run_id in dealt.done] if what == "requeue" else []
        entry.before = {"runs": [str(row["run_id"]) for row in found]}
        entry.after = {
            "done": [str(run_id) for run_id in dealt.done],
            "failed": {str(one.run_id): one.reason for one in dealt.failed},
        }
    with reaching_redis():
        engine.remove(context.redis, context.keys, dealt.removing)
    if runs:
        send(context, runs)
    return Dealt(dealt.done, runs, {str(one.run_id): one.reason for one in dealt.failed})


def start(context: Context, principal: Principal, what: What, wanted: Wanted) -> Started:
    """Requeue or drop all dead letters that there are now of a filter, in a run of the job `dead-letters`.

    While an action of that kind and filter is under way, it is the one that is returned.

    Raises:
        NotAllowed: the role does not include `dead:requeue` or `dead:drop`.
        BadInput: a moment of the filter has no time zone.
        NotFound: there are no such dead letters.
        Conflict: no worker has the job `dead-letters`.
    """
    values = wanted.values()
    run_id: UUID | None = None
    with audited(
        context,
        principal,
        permission=f"dead:{what}",
        action=f"{what}_dead_letters",
        target=wanted.job or "dead letters",
        job=wanted.job,
    ) as entry:
        connection = entry.connection
        if JOB not in job_queries.names(connection):
            raise Conflict(
                f"No worker has the job {JOB}; add callboard.actors to CALLBOARD_ACTORS of the workers."
            )
        row = queries.open_action(connection, what, values)
        total = queries.count(connection, values) if row is None else row["total"]
        if total == 0:
            raise NotFound("There are no such dead letters; look at the filter.")
        made = None
        if row is None:
            made = queries.add_action(connection, what, values, by=principal.name, total=total)
            # Where somebody else was faster, theirs is visible once it is committed, which the above awaits.
            row = queries.open_action(connection, what, values)
        if row is None:
            raise Conflict("The same action has ended in this very moment; look at what it has left.")
        action_id: UUID = row["id"]
        if row["stranded"]:
            run_id = switches.request_run(
                connection, JOB, args=[], kwargs={"action_id": str(action_id)}, by=principal.name,
                trigger="manual",
            )  # fmt: skip
            queries.give_run(connection, action_id, run_id)
        found = queries.action(connection, action_id)
        assert found is not None  # noqa: S101 - it was made or locked in this transaction
        action = as_action(found)
        entry.after = {"id": str(action.id), "filter": values, "total": total, "new": made is not None}
    if run_id is not None:
        send(context, [run_id])
    return Started(action, made is not None)


def abort(context: Context, principal: Principal, action_id: UUID) -> BulkAction:
    """Have an action on many end before its next batch. What is done stays done.

    Raises:
        NotAllowed: the role does not include `dead:requeue` or `dead:drop`.
        NotFound: there is none of that id.
        Conflict: it has ended.
    """
    with context.read() as connection:
        before = queries.action(connection, action_id)
    what = before["what"] if before is not None else "requeue"
    with audited(
        context, principal, permission=f"dead:{what}", action="abort_bulk_action", target=str(action_id)
    ) as entry:
        if before is None:
            raise NotFound(f"There is no action {action_id} on dead letters.")
        row = queries.abort(entry.connection, action_id)
        if row is None:
            raise Conflict(f"The action {action_id} has ended already.")
        entry.after = {"done": row["done"], "total": row["total"]}
    return as_action(row)
