"""Schedules, as they are listed and changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

COLUMNS = """s.id, s.job_name, s.key, s.expr, s.tz, s.args, s.kwargs, s.declared, s.origin, s.enabled
     , s.misfire, s.misfire_limit, s.grace_ms
     , CASE WHEN isfinite(s.checked_until) THEN s.checked_until END AS checked_until
     , s.retired, s.created_at, s.changed_at, s.changed_by"""

LIST = text(f"""
SELECT {COLUMNS}, coalesce(j.declared, false) AS job_declared, j.signature
     , coalesce(j.declared AND coalesce(c.enabled, c.job_name IS NOT NULL OR j.enabled_default), false)
       AS job_enabled
     , o.due_at AS last_due_at, o.disposition AS last_disposition, o.reason AS last_reason
     , o.run_id AS last_run_id
  FROM callboard.schedules s
  LEFT JOIN callboard.jobs j ON j.name = s.job_name
  LEFT JOIN public.cron_job_config c ON c.job_name = s.job_name
  LEFT JOIN LATERAL (
       SELECT due_at, disposition, reason, run_id
         FROM callboard.occurrences
        WHERE schedule_id = s.id
        ORDER BY due_at DESC
        LIMIT 1) o ON true
 WHERE (cast(:job AS text) IS NULL OR s.job_name = :job)
   AND (cast(:id AS bigint) IS NULL OR s.id = :id)
 ORDER BY s.job_name, s.key
""")

HOLD = text(f"SELECT {COLUMNS} FROM callboard.schedules s WHERE s.id = :id FOR UPDATE")

HOLD_JOBS = text(f"""
SELECT {COLUMNS}
  FROM callboard.schedules s
 WHERE s.job_name = ANY(cast(:jobs AS text[]))
 ORDER BY s.id
   FOR UPDATE
""")

ADD = text(f"""
INSERT INTO callboard.schedules AS s
       (job_name, key, expr, tz, args, kwargs, origin, enabled, misfire, misfire_limit, grace_ms, changed_by)
VALUES (:job_name, :key, :expr, :tz, :args, :kwargs, 'operator', :enabled, :misfire, :misfire_limit
     , :grace_ms, :by)
    ON CONFLICT (job_name, key) DO NOTHING
RETURNING {COLUMNS}
""").bindparams(bindparam("args", type_=JSONB), bindparam("kwargs", type_=JSONB))

SET = text(f"""
UPDATE callboard.schedules s
   SET key = :key, expr = :expr, tz = :tz, args = :args, kwargs = :kwargs, enabled = :enabled
     , misfire = :misfire, misfire_limit = :misfire_limit, grace_ms = :grace_ms, changed_by = :by
 WHERE s.id = :id
RETURNING {COLUMNS}
""").bindparams(bindparam("args", type_=JSONB), bindparam("kwargs", type_=JSONB))

REMOVE = text("DELETE FROM callboard.schedules WHERE id = :id")

SETTLE = text("""
INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason)
SELECT :id, due_at, :job_name, :disposition, reason
  FROM unnest(cast(:due_ats AS timestamptz[]), cast(:reasons AS text[])) AS slot (due_at, reason)
    ON CONFLICT (schedule_id, due_at) DO NOTHING
""")


def schedules(
    connection: Connection, *, job: str | None = None, schedule_id: int | None = None
) -> Sequence[Row]:
    """One row a schedule, with its job's switch and its last decided slot."""
    return connection.execute(LIST, {"job": job, "id": schedule_id}).mappings().all()


def hold(connection: Connection, schedule_id: int) -> Row | None:
    """A schedule, kept from everybody else until the transaction ends."""
    return connection.execute(HOLD, {"id": schedule_id}).mappings().one_or_none()


def hold_of_jobs(connection: Connection, jobs: Sequence[str]) -> Sequence[Row]:
    """All schedules of some jobs, kept from everybody else until the transaction ends."""
    return connection.execute(HOLD_JOBS, {"jobs": list(jobs)}).mappings().all()


def add(connection: Connection, values: Mapping[str, Any], *, by: str) -> Row | None:
    """Add a schedule; None where the job has one of that key."""
    return connection.execute(ADD, {**values, "by": by}).mappings().one_or_none()


def change(connection: Connection, schedule_id: int, values: Mapping[str, Any], *, by: str) -> Row:
    """Give a schedule these values."""
    return connection.execute(SET, {**values, "id": schedule_id, "by": by}).mappings().one()


def remove(connection: Connection, schedule_id: int) -> None:
    """Delete a schedule; what became of its slots stays."""
    connection.execute(REMOVE, {"id": schedule_id})


def settle(connection: Connection, row: Row, disposition: str, slots: Sequence[tuple[datetime, str]]) -> None:
    """Note slots of a schedule, each with the reason, that nobody had decided and nobody will."""
    values = {
        "id": row["id"],
        "job_name": row["job_name"],
        "disposition": disposition,
        "due_ats": [due_at for due_at, _ in slots],
        "reasons": [reason for _, reason in slots],
    }
    connection.execute(SETTLE, values)
