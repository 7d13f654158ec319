"""What actions on many dead letters and on many runs have in common: they are asked for once, and aborted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from callboard.control.audit import Entry, audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.bulk import KINDS, About, BulkAction, as_action, unknown_action
from callboard.core.errors import Conflict, NotFound
from callboard.storage.queries import bulk as queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import switches


@dataclass(frozen=True, slots=True)
class Started:
    """An action on many, and whether it is new: the same one, asked for twice, is worked off once."""

    action: BulkAction
    new: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """An action that was started, and the run to send for it once that is committed, if there is one."""

    started: Started
    sending: tuple[UUID, ...]


def begin(
    entry: Entry,
    principal: Principal,
    about: About,
    what: str,
    values: Mapping[str, Any],
    *,
    job: str,
    count: Callable[[Connection], int],
) -> Begun:
    """Note an action on all that fit a filter, and ask for a run of the job that works it off.

    While an action of that kind and filter is under way, it is the one that is returned.

    Args:
        entry: the audited transaction of it.
        principal: who asks.
        about: what the action is about.
        what: one of its `KINDS`.
        values: the filter, as JSON.
        job: the job that works it off.
        count: how many fit.

    Raises:
        NotFound: nothing fits.
        Conflict: no worker has the job.
    """
    connection = entry.connection
    if job not in job_queries.names(connection):
        raise Conflict(
            f"No worker has the job {job}; add callboard.actors to CALLBOARD_ACTORS of the workers."
        )
    row = queries.open_action(connection, what, values)
    total = count(connection) if row is None else row["total"]
    if total == 0:
        raise NotFound(f"There are no such {about}; look at the filter.")
    made = None
    if row is None:
        made = queries.add_action(connection, what, values, by=principal.name, total=total)
        # Where somebody else was faster, theirs is visible once it is committed, which the above awaits.
        row = queries.open_action(connection, what, values)
    if row is None:
        raise Conflict("The same action has ended in this very moment; look at what it has left.")
    action_id: UUID = row["id"]
    sending: tuple[UUID, ...] = ()
    if row["stranded"]:
        run_id = switches.request_run(
            connection, job, args=[], kwargs={"action_id": str(action_id)}, by=principal.name,
            trigger="manual",
        )  # fmt: skip
        queries.give_run(connection, action_id, run_id)
        sending = (run_id,)
    found = queries.action(connection, KINDS[about], action_id)
    assert found is not None  # noqa: S101 - it was made or locked in this transaction
    entry.after = {"id": str(action_id), "filter": dict(values), "total": total, "new": made is not None}
    return Begun(Started(as_action(found), made is not None), sending)


def abort(context: Context, principal: Principal, about: About, action_id: UUID) -> BulkAction:
    """Have an action on many end before its next batch. What is done stays done.

    Raises:
        NotAllowed: the role does not include the permission that the action took.
        NotFound: there is none of that id.
        Conflict: it has ended.
    """
    with context.read() as connection:
        before = queries.action(connection, KINDS[about], action_id)
    what = KINDS[about][0] if before is None else before["what"]
    prefix = "dead" if about == "dead letters" else "runs"
    with audited(
        context, principal, permission=f"{prefix}:{what}", action="abort_bulk_action", target=str(action_id)
    ) as entry:
        if before is None:
            raise unknown_action(about, action_id)
        row = queries.abort(entry.connection, action_id)
        if row is None:
            raise Conflict(f"The action {action_id} has ended already.")
        entry.after = {"done": row["done"], "total": row["total"]}
    return as_action(row)
