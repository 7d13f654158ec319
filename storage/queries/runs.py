"""Runs, their attempts and their log lines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, text

from callboard.storage.queries import Row

COLUMNS = """run_id, enqueued_at, job, queue, state, attempt, max_attempts, trigger, schedule_id, due_at
     , started_at, attempt_started_at, finished_at, wait_ms, duration_ms, worker, error_type, error, reason
     , requested_by, next_retry_at, time_limit_ms, progress"""

RUNNING = text(f"""
SELECT {COLUMNS}
  FROM callboard.runs
 WHERE state = 'processing' AND (cast(:job AS text) IS NULL OR job = :job)
 ORDER BY started_at, run_id
 LIMIT :limit
""")

HISTORY = text(f"""
SELECT {COLUMNS}
  FROM callboard.runs
 WHERE job = :job
   AND started_at >= :since
   AND (cast(:before AS timestamptz) IS NULL OR started_at < :before)
 ORDER BY started_at DESC, run_id
 LIMIT :limit
""")

RUN = text(f"""
SELECT {COLUMNS}, traceback, args, kwargs, result
  FROM callboard.runs
 WHERE run_id = :run_id
 ORDER BY enqueued_at DESC
 LIMIT 1
""")

ATTEMPTS = text("""
SELECT attempt, state, started_at, finished_at, duration_ms, worker, error_type, error, traceback, reason
  FROM callboard.run_attempts
 WHERE run_id = :run_id AND enqueued_at = :enqueued_at
 ORDER BY attempt, started_at
""")

LOG_LINES = text("""
SELECT attempt, seq, at, level, message
  FROM callboard.log_lines
 WHERE run_id = :run_id AND enqueued_at = :enqueued_at
 ORDER BY attempt, seq
 LIMIT :limit
""")

ENDED = text("""
SELECT run_id, state
  FROM callboard.runs
 WHERE run_id IN :run_ids AND enqueued_at >= :since
   AND state IN ('succeeded', 'failed', 'cancelled', 'skipped', 'dead')
""").bindparams(bindparam("run_ids", expanding=True))


def running(connection: Connection, *, job: str | None = None, limit: int = 500) -> Sequence[Row]:
    """One row a run that is being executed, the longest running first."""
    return connection.execute(RUNNING, {"job": job, "limit": limit}).mappings().all()


def history(
    connection: Connection, job: str, *, since: datetime, before: datetime | None, limit: int
) -> Sequence[Row]:
    """One row a started run of a job, the latest first."""
    values = {"job": job, "since": since, "before": before, "limit": limit}
    return connection.execute(HISTORY, values).mappings().all()


def run(connection: Connection, run_id: UUID) -> Row | None:
    """The run of that id, or None."""
    return connection.execute(RUN, {"run_id": run_id}).mappings().one_or_none()


def attempts(connection: Connection, run_id: UUID, enqueued_at: datetime) -> Sequence[Row]:
    """One row an attempt of a run, in order."""
    return connection.execute(ATTEMPTS, {"run_id": run_id, "enqueued_at": enqueued_at}).mappings().all()


def log_lines(
    connection: Connection, run_id: UUID, enqueued_at: datetime, *, limit: int = 10_000
) -> Sequence[Row]:
    """One row a line that a run logged, in order."""
    values = {"run_id": run_id, "enqueued_at": enqueued_at, "limit": limit}
    return connection.execute(LOG_LINES, values).mappings().all()


def ended(connection: Connection, run_ids: Sequence[UUID], since: datetime) -> list[UUID]:
    """Those of the runs, all of them made since then, that have ended."""
    if not run_ids:
        return []
    return list(connection.execute(ENDED, {"run_ids": run_ids, "since": since}).scalars())
