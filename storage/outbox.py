"""The outbox: messages that must reach Redis, kept in PostgreSQL until they have.

Sending is: take rows (they stay locked, so that relays share the work), put their messages into Redis with
a mark that makes a repetition harmless, delete the rows and note the runs as pending in one transaction. A
crash at any point leaves the row, and the next relay sends it again or finds the mark.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

_TAKE = text("""
SELECT id, run_id, message
  FROM callboard.outbox
 WHERE coalesce(not_before, '-infinity'::timestamptz) <= now()
   AND (cast(:run_ids AS uuid[]) IS NULL OR run_id = ANY(cast(:run_ids AS uuid[])))
   AND (NOT :leave_fresh OR message -> 'options' ->> 'trigger' IS DISTINCT FROM 'schedule'
        OR created_at <= now() - interval '1 second')
 ORDER BY coalesce(not_before, '-infinity'::timestamptz), id
 LIMIT :limit
   FOR UPDATE SKIP LOCKED
""")

_SENT = text("""
WITH gone AS (
     DELETE FROM callboard.outbox
      WHERE run_id = ANY(cast(:run_ids AS uuid[]))
     RETURNING run_id, job_name, queue, message
   ), read AS (
     SELECT *, message -> 'options' AS options
          , coalesce((message -> 'options' ->> 'retries')::int, 0) + 1 AS attempt
          , timestamptz 'epoch' + (message ->> 'message_timestamp')::bigint * interval '1 millisecond'
            AS enqueued_at
       FROM gone
   ), noted AS (
     INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger
          , schedule_id, due_at, ready_at, args, kwargs, requested_by, time_limit_ms)
     SELECT r.run_id, r.enqueued_at, r.job_name, r.queue, 'pending', r.attempt * 10, r.attempt, j.max_attempts
          , coalesce(r.options ->> 'trigger', 'code'), (r.options ->> 'schedule_id')::bigint
          , timestamptz 'epoch' + (r.options ->> 'due_at')::bigint * interval '1 millisecond', r.enqueued_at
          , r.message -> 'args', r.message -> 'kwargs', r.options ->> 'requested_by', j.time_limit_ms
       FROM read r
       LEFT JOIN callboard.jobs j ON j.name = r.job_name
         ON CONFLICT DO NOTHING
   )
SELECT count(*) FROM gone
""")

_FAILED = text("""
UPDATE callboard.outbox
   SET attempts = attempts + 1, last_error = :error
 WHERE id = ANY(cast(:ids AS bigint[]))
""")

_NOTE = text("""
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger)
SELECT o.run_id, o.created_at, o.job_name, o.queue, 'pending', 10, 1, 'sql'
  FROM callboard.outbox o
 WHERE o.run_id = :run_id AND NOT EXISTS (SELECT FROM callboard.runs r WHERE r.run_id = o.run_id)
""")

_END = text("SELECT callboard.end_run(:run_id, 'dead', p_reason => :reason, p_by => 'scheduler')")

_DELETE = text("DELETE FROM callboard.outbox WHERE run_id = :run_id")

_NEXT = text("""
SELECT not_before
  FROM callboard.outbox
 WHERE coalesce(not_before, '-infinity'::timestamptz) > now()
 ORDER BY coalesce(not_before, '-infinity'::timestamptz), id
 LIMIT 1
""")

_REPLAY = text("""
INSERT INTO callboard.outbox (run_id, job_name, queue, not_before, message)
SELECT r.run_id, r.job, r.queue, r.next_retry_at
     , jsonb_build_object('queue_name', r.queue, 'actor_name', r.job, 'args', coalesce(r.args, '[]')
          , 'kwargs', coalesce(r.kwargs, '{}'), 'message_id', r.run_id
          , 'message_timestamp', floor(extract(epoch FROM r.enqueued_at) * 1000)::bigint
          , 'options', jsonb_strip_nulls(jsonb_build_object('trigger', r.trigger, 'schedule_id', r.schedule_id
               , 'due_at', floor(extract(epoch FROM r.due_at) * 1000)::bigint, 'requested_by', r.requested_by
               , 'retries', nullif(r.attempt - 1, 0)
               , 'max_retries', CASE WHEN r.trigger = 'sql' AND r.max_attempts IS DISTINCT FROM j.max_attempts
                                     THEN r.max_attempts - 1 END)))
  FROM callboard.runs r
  LEFT JOIN callboard.jobs j ON j.name = r.job
 WHERE r.state = 'pending' AND r.trigger <> 'code'
    ON CONFLICT (run_id) DO NOTHING
""")


class OutboxRow(NamedTuple):
    """One message that is not yet sent, as the database has it."""

    id: int
    run_id: UUID
    message: dict[str, Any]


def take_unsent(
    connection: Connection, limit: int, run_ids: Sequence[UUID] | None = None, *, leave_fresh: bool = True
) -> list[OutboxRow]:
    """Lock and return messages that are due, oldest first, passing by those that another relay holds.

    Parameters:
        run_ids: only these runs.
        leave_fresh: leave slots of the last second to the scheduler that has just claimed them.
    """
    ids = None if run_ids is None else list(run_ids)
    rows = connection.execute(
        _TAKE, {"limit": limit, "run_ids": ids, "leave_fresh": leave_fresh and ids is None}
    )
    return [OutboxRow(*row) for row in rows]


def mark_sent(connection: Connection, run_ids: Sequence[UUID]) -> int:
    """Delete the rows of messages that Redis has, and note their runs as pending. Returns how many."""
    count: int = connection.execute(_SENT, {"run_ids": list(run_ids)}).scalar_one()
    return count


def mark_failed(connection: Connection, ids: Sequence[int], error: str) -> None:
    """Note with rows that sending them has failed, and why. They stay."""
    connection.execute(_FAILED, {"ids": list(ids), "error": error})


def refuse(connection: Connection, run_id: UUID, reason: str) -> None:
    """Give up a row that holds no message: its run ends as `dead`, with the reason."""
    values = {"run_id": run_id, "reason": reason}
    connection.execute(_NOTE, values)
    connection.execute(_END, values)
    connection.execute(_DELETE, values)


def next_delayed(connection: Connection) -> datetime | None:
    """When the next delayed message is to be sent."""
    moment: datetime | None = connection.execute(_NEXT).scalar_one_or_none()
    return moment


def replay_pending(connection: Connection) -> int:
    """Put every pending run that came from the database back into the outbox. Returns how many."""
    return connection.execute(_REPLAY).rowcount
