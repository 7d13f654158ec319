"""The audit trail: an action leaves a row in the transaction of its change, a refusal in one of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.core.errors import BadInput, CallboardError, Unavailable
from callboard.core.hiding import hide_value
from callboard.core.limits import cut, storable
from callboard.storage.queries import audit as queries

#: Names come from outside; what is kept of them is cut here.
MAX_TARGET = 200
MAX_REASON = 1_000


@dataclass(slots=True)
class Entry:
    """An action under way: its transaction, and what it changes, to be filled in by the action."""

    connection: Connection
    target: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """One row of the trail."""

    id: int
    at: datetime
    who: str
    role: str | None
    origin: str
    address: str | None
    action: str
    target: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    outcome: str
    reason: str | None


@contextmanager
def audited(
    context: Context,
    principal: "Principal",
    *,
    permission: str,
    action: str,
    target: str,
    job: str | None = None,
) -> Iterator[Entry]:
    """A transaction for one action: checked against the role, audited when done, audited when refused.

    `job` is the one that the action is about; None leaves out whoever is limited to some jobs.

    Raises:
        NotAllowed: the principal's role or scope does not include the permission.
        CallboardError: whatever the block refuses with; nothing of it is kept but the audit row.
    """
    try:
        principal.require(permission, job)
        with context.write() as connection:
            entry = Entry(connection, target)
            yield entry
            record(
                connection,
                principal,
                action=action,
                target=entry.target,
                before=entry.before,
                after=entry.after,
            )
    except Unavailable:
        raise
    except CallboardError as error:
        refuse(context, principal, action=action, target=target, reason=str(error))
        raise


def record(
    connection: Connection,
    principal: "Principal",
    *,
    action: str,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: str = "done",
    reason: str | None = None,
) -> None:
    """Write one row in the caller's transaction."""
    queries.write(
        connection,
        {
            "who": cut(storable(principal.name), MAX_TARGET),
            "role": principal.role,
            "origin": principal.origin,
            "address": principal.address,
            "action": action,
            "target": cut(storable(target), MAX_TARGET),
            "before": before,
            "after": after,
            "outcome": outcome,
            "reason": None if reason is None else cut(storable(reason), MAX_REASON),
        },
    )


def refuse(context: Context, principal: "Principal", *, action: str, target: str, reason: str) -> None:
    """Write one row about a refusal, in a transaction of its own."""
    with context.write() as connection:
        record(connection, principal, action=action, target=target, outcome="refused", reason=reason)


def latest(
    context: Context,
    principal: "Principal",
    *,
    limit: int = 100,
    before_id: int | None = None,
    target: str | None = None,
    who: str | None = None,
    action: str | None = None,
    job: str | None = None,
) -> tuple[Audited, ...]:
    """The trail without secrets, the latest first; `before_id`, the last id of a page, is for the next one.

    That of a `job` is what was done to it, run, switched or paused, and to its schedules.

    Raises:
        NotAllowed: the principal's role does not include `audit:view`.
    """
    principal.require("audit:view")
    with context.read() as connection:
        rows = queries.latest(
            connection,
            limit=limit,
            before_id=before_id,
            target=target,
            who=who,
            action=action,
            job=None if job is None else storable(job),
        )
    hidden = ("before", "after")
    return tuple(Audited(**{**row, **{name: hide_value(row[name]) for name in hidden}}) for row in rows)


def page(
    context: Context,
    principal: "Principal",
    *,
    limit: int = 100,
    cursor: str | None = None,
    target: str | None = None,
    who: str | None = None,
    action: str | None = None,
) -> tuple[tuple[Audited, ...], str | None]:
    """A page of the trail, and the cursor of the next one; None where there is none.

    Raises:
        NotAllowed: the principal's role does not include `audit:view`.
        BadInput: no page has that cursor.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and 0 < len(cursor) < 19):
        raise BadInput(f"There is no page {cursor[:40]!r}; pass on `nextCursor` as it came.")
    words = [None if word is None else storable(word) for word in (target, who, action)]
    found = latest(
        context,
        principal,
        limit=limit + 1,
        before_id=None if cursor is None else int(cursor),
        target=words[0],
        who=words[1],
        action=words[2],
    )
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None
