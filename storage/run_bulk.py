"""Retries runs, and cancels them: those that are named, or those of an action on many.

A run that has ended stays as it is. It is done again as a new run, whose id follows from the old one's and
which names it: so it is done again once, however often it is asked for. One that waits for its next attempt
is brought forward instead.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from redis import Redis
from sqlalchemy import Connection, text

from callboard.core.keys import Keys
from callboard.core.limits import cut, storable
from callboard.storage import bulk, letters
from callboard.storage.bulk import Dealt, Refused
from callboard.storage.queries import Row
from callboard.storage.queries import run_search as queries

#: Brings runs (ids, each with its queue) forward that wait in Redis for their time; returns those that did.
Hurry = Callable[[Mapping[str, str]], set[str]]

#: The longest reason that is kept with a cancelled run, in characters.
MAX_REASON = 500

_LOCK = text("""
SELECT run_id, enqueued_at
  FROM callboard.runs
 WHERE run_id = ANY (cast(:run_ids AS uuid[]))
 ORDER BY enqueued_at, run_id
   FOR UPDATE
""")

# After the lock, not with it: a statement that waited for a lock still reads what was there when it began.
_FACTS = text("""
SELECT r.run_id, r.enqueued_at, r.job, r.queue, r.state, r.args, r.kwargs, r.dead_letter, r.error_type
     , coalesce(j.declared, false) AS declared, j.queue AS job_queue
     , CASE WHEN c.job_name IS NULL THEN j.enabled_default ELSE c.enabled IS NOT FALSE END AS enabled
     , (SELECT n.run_id FROM callboard.runs n WHERE n.retry_of = r.run_id LIMIT 1) AS retried_as
  FROM callboard.runs r
  LEFT JOIN callboard.jobs j ON j.name = r.job
  LEFT JOIN public.cron_job_config c ON c.job_name = r.job
 WHERE r.run_id = ANY (cast(:run_ids AS uuid[])) AND r.enqueued_at = ANY (cast(:moments AS timestamptz[]))
 ORDER BY r.enqueued_at, r.run_id
""")

_END = text("SELECT callboard.end_runs(cast(:run_ids AS uuid[]), 'cancelled', :reason, :by)")

_HURRY_UNSENT = text("""
UPDATE callboard.outbox
   SET not_before = NULL
 WHERE run_id = ANY (cast(:run_ids AS uuid[])) AND not_before > now()
RETURNING run_id
""")


def take(connection: Connection, run_ids: Sequence[UUID]) -> list[Row]:
    """Lock these runs and return what must be known of them, the earliest first, without unknown ones."""
    return _facts(connection, connection.execute(_LOCK, {"run_ids": list(run_ids)}).mappings().all())


def retry(
    connection: Connection, client: Redis, keys: Keys, rows: Sequence[Row], *, by: str, hurry: Hurry
) -> Dealt:
    """Have runs that `take` returned tried again, in the caller's transaction.

    Then remove the letters, and send what is in the outbox.
    """
    waiting = [row for row in rows if row["state"] == "pending"]
    unsent = _hurry_unsent(connection, waiting)
    sent = {str(row["run_id"]): row["queue"] for row in waiting if row["run_id"] not in unsent}
    hurried = unsent | {UUID(each) for each in hurry(sent)}
    failed = [
        Refused(row["run_id"], "it waits in its queue; it goes as soon as a worker is free")
        for row in waiting
        if row["run_id"] not in hurried
    ]
    going = []
    for row in rows:
        refused = _refused(row)
        if refused is not None:
            failed.append(refused)
        elif row["state"] != "pending":
            going.append(row)
    with_letter = [row for row in going if row["dead_letter"] is not None]
    requeued = letters.deal(connection, client, keys, "requeue", with_letter, by=by)
    done = {*hurried, *requeued.done}
    messages, now = [], letters.now_ms(connection)
    for row in going:
        if row["run_id"] in done:
            continue
        if is_cut(row["args"]):
            why = f"its arguments were too long to be kept; send the job {row['job']} anew"
            failed.append(Refused(row["run_id"], why))
            continue
        messages.append(_message(row, now, by))
        done.add(row["run_id"])
    letters.put(connection, messages)
    return Dealt([row["run_id"] for row in rows if row["run_id"] in done], failed, requeued.removing)


def cancel(connection: Connection, rows: Sequence[Row], *, reason: str, by: str) -> Dealt:
    """End runs that `take` returned, in the caller's transaction; then tell the fleet."""
    values = {"run_ids": [row["run_id"] for row in rows], "reason": reason, "by": by}
    ended = set(connection.execute(_END, values).scalars())
    return Dealt(
        [row["run_id"] for row in rows if row["run_id"] in ended],
        [Refused(row["run_id"], "it has ended already") for row in rows if row["run_id"] not in ended],
        [],
    )


def reason_of(by: str, said: str | None) -> str:
    """Why a run was cancelled, as it is kept with it."""
    words = storable(said or "").strip()
    return cut(f"cancelled by {by}{': ' if words else ''}{words}", MAX_REASON)


def work_off(
    connection: Connection, client: Redis, keys: Keys, action_id: UUID, limit: int, *, hurry: Hurry
) -> bulk.Step:
    """Deal with the next runs of an action, in the caller's transaction; then `letters.remove` the step's.

    Raises:
        LookupError: there is no such action.
    """

    def deal_next(action: Row) -> bulk.Batch | None:
        what, asked, by = action["what"], action["filter"], action["requested_by"]
        found = queries.lock_next(
            connection,
            what,
            queries.filter_of_action(asked, action["created_at"]),
            after=None if action["cursor_at"] is None else (action["cursor_at"], action["cursor_id"]),
            besides=action["run_id"],
            limit=limit,
        )
        if not found:
            return None
        rows = _facts(connection, found)
        if what == "cancel":
            dealt = cancel(connection, rows, reason=reason_of(by, asked.get("reason")), by=by)
        else:
            dealt = retry(connection, client, keys, rows, by=by, hurry=hurry)
        return bulk.Batch(dealt, (found[-1]["enqueued_at"], found[-1]["run_id"]))

    return bulk.work_off(connection, action_id, deal_next, partial(letters.remove, client, keys))


def is_cut(args: Any) -> bool:
    """Whether the arguments of a message were too long to be kept."""
    return isinstance(args, list) and len(args) == 1 and str(args[0]).startswith("[cut: a message of ")


def _facts(connection: Connection, found: Sequence[Row]) -> list[Row]:
    if not found:
        return []
    run_ids, moments = ([row[name] for row in found] for name in ("run_id", "enqueued_at"))
    rows = connection.execute(_FACTS, {"run_ids": run_ids, "moments": moments}).mappings()
    # Of a run that is known under two moments the later one counts.
    return list({row["run_id"]: row for row in rows}.values())


def _hurry_unsent(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    if not rows:
        return set()
    return set(connection.execute(_HURRY_UNSENT, {"run_ids": [row["run_id"] for row in rows]}).scalars())


def _refused(row: Row) -> Refused | None:
    run_id, job, state = row["run_id"], row["job"], row["state"]
    if state == "pending":
        return None
    if state in ("processing", "succeeded"):
        word = "is running" if state == "processing" else "has succeeded"
        return Refused(run_id, f"it {word}; run the job {job} anew instead")
    if not row["declared"]:
        return Refused(run_id, f"no running code declares the job {job}", "unknown")
    if not row["enabled"]:
        return Refused(run_id, f"the job {job} is switched off", "off")
    if row["retried_as"] is not None:
        return Refused(run_id, f"it has been done again already, as run {row['retried_as']}")
    return None


def _message(row: Row, now: int, by: str) -> Mapping[str, Any]:
    return {
        "queue_name": row["job_queue"],
        "actor_name": row["job"],
        "args": row["args"] or [],
        "kwargs": row["kwargs"] or {},
        "options": {"trigger": "manual", "requested_by": by, "retry_of": str(row["run_id"])},
        "message_id": str(letters.requeued_id(row["run_id"])),
        "message_timestamp": now,
    }
