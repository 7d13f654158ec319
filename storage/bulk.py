"""Works off actions on many runs, batch by batch: what each batch is, its kind of action says.

A batch and how far the action has come are committed together; so broken off at any point and begun again,
it goes on where it was, and no run is dealt with twice.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

_LOCK = text("""
SELECT id, what, filter, requested_by, run_id, created_at, state, total, done, failed, abort, cursor_at
     , cursor_id, removing
  FROM callboard.bulk_actions
 WHERE id = :id
   FOR UPDATE
""")

_GO_ON = text("""
UPDATE callboard.bulk_actions
   SET state = 'running', done = done + :done, failed = failed + :failed, cursor_at = :cursor_at
     , cursor_id = :cursor_id, removing = :removing, last_error = coalesce(:error, last_error)
 WHERE id = :id
""").bindparams(bindparam("removing", type_=JSONB(none_as_null=True)))

_FINISH = text("""
UPDATE callboard.bulk_actions
   SET state = :state, finished_at = now(), removing = NULL
 WHERE id = :id
""")


class Refused(NamedTuple):
    """A run with which that cannot be done; `reason` is what one would say of it.

    It is `unknown` where no running code has its job, and `off` where that is switched off.
    """

    run_id: UUID
    reason: str
    kind: Literal["conflict", "unknown", "off"] = "conflict"


class Dealt(NamedTuple):
    """What became of some runs. `removing`: [queue, id in Redis] of the dead letters to be removed there."""

    done: list[UUID]
    failed: list[Refused]
    removing: list[list[str]]


class Batch(NamedTuple):
    """What became of the next runs of an action, and the place of the last of them."""

    dealt: Dealt
    last: tuple[datetime, UUID]


class Step(NamedTuple):
    """How far an action is. `removing`: see `Dealt`; `ended`: nothing more is to be done."""

    done: int
    failed: int
    total: int
    ended: bool
    removing: list[list[str]]


def work_off(
    connection: Connection,
    action_id: UUID,
    deal_next: Callable[[Row], Batch | None],
    remove: Callable[[Sequence[Sequence[str]]], None],
) -> Step:
    """Deal with the next runs of an action, in the caller's transaction; then `remove` the step's letters.

    Those of the step before are removed here once more: it may have been broken off in between.

    Args:
        connection: its transaction is the step.
        action_id: which action.
        deal_next: deals with the next runs of the action; None where none are left.
        remove: removes letters, [queue, id in Redis] each, from Redis.

    Raises:
        LookupError: there is no such action.
    """
    action = connection.execute(_LOCK, {"id": action_id}).mappings().one_or_none()
    if action is None:
        raise LookupError(f"There is no action {action_id}.")
    if action["removing"]:
        remove(action["removing"])
    done, failed, total = action["done"], action["failed"], action["total"]
    if action["state"] in ("done", "aborted"):
        return Step(done, failed, total, ended=True, removing=[])
    batch = None if action["abort"] else deal_next(action)
    if batch is None:
        state = "aborted" if action["abort"] else "done"
        connection.execute(_FINISH, {"id": action_id, "state": state})
        return Step(done, failed, total, ended=True, removing=[])
    dealt = batch.dealt
    connection.execute(
        _GO_ON,
        {
            "id": action_id,
            "done": len(dealt.done),
            "failed": len(dealt.failed),
            "cursor_at": batch.last[0],
            "cursor_id": batch.last[1],
            "removing": dealt.removing,
            "error": dealt.failed[-1].reason if dealt.failed else None,
        },
    )
    return Step(done + len(dealt.done), failed + len(dealt.failed), total, False, dealt.removing)
