"""Requeue dead letters, or drop them: some at once, or many in a run of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from callboard.control.actions.bulk import Started, begin
from callboard.control.actions.run_job import send
from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.letters import Wanted
from callboard.core.errors import BadInput, NotFound
from callboard.storage import letters as engine
from callboard.storage.queries import letters as queries

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
    with audited(
        context,
        principal,
        permission=f"dead:{what}",
        action=f"{what}_dead_letters",
        target=wanted.job or "dead letters",
        job=wanted.job,
    ) as entry:
        begun = begin(
            entry,
            principal,
            "dead letters",
            what,
            values,
            job=JOB,
            count=lambda connection: queries.count(connection, values),
        )
    if begun.sending:
        send(context, begun.sending)
    return begun.started
