"""What is kept of some jobs' runs: by age and by number, whichever is reached first.

Callboard's own retention (`storage.retention`) drops whole weeks of all jobs. This one is for jobs that run
so often, or say so little, that less of them is enough. Each call is one batch in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, bindparam, text

#: What has ended less than this ago stays in any case: somebody may be waiting for its outcome.
_FRESH = "interval '1 hour'"
_ENDED_AT = "coalesce(r.finished_at, r.enqueued_at)"
#: That of runs which went well, and that of the others. A dead letter stays while it can be requeued.
_WELL = "r.state IN ('succeeded', 'skipped')"
_ENDED = "r.state NOT IN ('pending', 'processing') AND r.dead_letter IS NULL"
_SCOPE = "(r.job = ANY(:jobs) OR r.queue = ANY(:queues))"
_NAMES = (bindparam("jobs", type_=ARRAY(Text)), bindparam("queues", type_=ARRAY(Text)))

SURPLUS = text(f"""
SELECT job, queue, well, count(*) AS runs, max(at) AS at
     , (array_agg(run_id ORDER BY at DESC, run_id DESC))[1] AS run_id
  FROM (SELECT r.job, r.queue, {_WELL} AS well, {_ENDED_AT} AS at, r.run_id
             , row_number() OVER (
                   PARTITION BY r.job, r.queue, {_WELL} ORDER BY {_ENDED_AT} DESC, r.run_id DESC) AS place
          FROM callboard.runs r
         WHERE {_ENDED} AND {_SCOPE}) ended
 WHERE at < now() - {_FRESH}
   AND CASE WHEN well THEN at < now() - :completed_days * interval '24 hours' OR place > :completed_count
            ELSE at < now() - :failed_days * interval '24 hours' OR place > :failed_count END
 GROUP BY job, queue, well
 ORDER BY job, queue, well
""").bindparams(*_NAMES)

DELETE = text(f"""
  WITH old AS MATERIALIZED (
SELECT r.run_id, r.enqueued_at
  FROM callboard.runs r
 WHERE r.job = :job AND r.queue = :queue AND {_ENDED} AND ({_WELL}) = :well
   AND ({_ENDED_AT}, r.run_id) <= (:at, :run_id)
 LIMIT :limit
   FOR UPDATE SKIP LOCKED
     ), lines AS (
DELETE FROM callboard.log_lines l USING old WHERE l.run_id = old.run_id AND l.enqueued_at = old.enqueued_at
     ), tries AS (
DELETE FROM callboard.attempts a USING old WHERE a.run_id = old.run_id AND a.enqueued_at = old.enqueued_at
     ), gone AS (
DELETE FROM callboard.runs r USING old WHERE r.run_id = old.run_id AND r.enqueued_at = old.enqueued_at
RETURNING 1
     )
SELECT count(*) FROM gone
""")

_LINES = f"""
  FROM callboard.log_lines l
  JOIN callboard.runs r ON r.run_id = l.run_id AND r.enqueued_at = l.enqueued_at
 WHERE {_ENDED} AND {_SCOPE} AND {_ENDED_AT} < now() - :days * interval '24 hours'
"""
COUNT_LINES = text(f"SELECT count(*) {_LINES}").bindparams(*_NAMES)
DELETE_LINES = text(f"""
  WITH old AS MATERIALIZED (SELECT l.run_id, l.enqueued_at, l.attempt, l.seq {_LINES} LIMIT :limit)
DELETE FROM callboard.log_lines l
 USING old
 WHERE (l.run_id, l.enqueued_at, l.attempt, l.seq) = (old.run_id, old.enqueued_at, old.attempt, old.seq)
""").bindparams(*_NAMES)

#: Those by the day, one row a day, stay for ever.
_FIGURES = f"""
  FROM callboard.rollups r
 WHERE r.width_s < 86400 AND {_SCOPE} AND r.bucket < now() - :days * interval '24 hours'
"""
COUNT_FIGURES = text(f"SELECT count(*) {_FIGURES}").bindparams(*_NAMES)
DELETE_FIGURES = text(f"""
DELETE FROM callboard.rollups WHERE ctid = ANY (ARRAY(SELECT r.ctid {_FIGURES} LIMIT :limit))
""").bindparams(*_NAMES)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose runs: those of these jobs, and all in these queues."""

    jobs: Sequence[str]
    queues: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days, and how many runs of each job, are kept of those that went well and of the others."""

    completed_days: int
    completed_count: int
    failed_days: int
    failed_count: int


@dataclass(frozen=True, slots=True)
class Surplus:
    """The runs of one job in one queue that are beyond what is kept: `runs`, up to the last of them."""

    job: str
    queue: str
    well: bool
    runs: int
    at: datetime
    run_id: UUID


def surplus_runs(connection: Connection, scope: Scope, kept: Kept) -> list[Surplus]:
    """What is beyond what is kept, by job and queue. What ended within the hour never is."""
    values = {name: getattr(kept, name) for name in Kept.__slots__}
    rows = connection.execute(SURPLUS, values | _names(scope)).mappings()
    return [Surplus(**row) for row in rows]


def delete_surplus(connection: Connection, surplus: Surplus, limit: int) -> int:
    """Delete up to `limit` of these runs, with their attempts and log lines. Returns how many."""
    values = {name: getattr(surplus, name) for name in ("job", "queue", "well", "at", "run_id")}
    count: int = connection.execute(DELETE, values | {"limit": limit}).scalar_one()
    return count


def count_old_lines(connection: Connection, scope: Scope, days: int) -> int:
    """How many log lines are of runs that ended more than so many days ago."""
    count: int = connection.execute(COUNT_LINES, _names(scope) | {"days": days}).scalar_one()
    return count


def delete_old_lines(connection: Connection, scope: Scope, days: int, limit: int) -> int:
    """Delete up to `limit` of them. Returns how many."""
    return connection.execute(DELETE_LINES, _names(scope) | {"days": days, "limit": limit}).rowcount


def count_old_figures(connection: Connection, scope: Scope, days: int) -> int:
    """How many rollups by the minute and by the hour are older than so many days."""
    count: int = connection.execute(COUNT_FIGURES, _names(scope) | {"days": days}).scalar_one()
    return count


def delete_old_figures(connection: Connection, scope: Scope, days: int, limit: int) -> int:
    """Delete up to `limit` of them. Returns how many."""
    return connection.execute(DELETE_FIGURES, _names(scope) | {"days": days, "limit": limit}).rowcount


def _names(scope: Scope) -> dict[str, list[str]]:
    return {"jobs": list(scope.jobs), "queues": list(scope.queues)}
