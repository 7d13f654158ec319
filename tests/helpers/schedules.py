"""Jobs and schedules straight into the database, and what has become of their slots."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_JOB = text("""
INSERT INTO callboard.jobs (name, queue, source) VALUES (:job, :queue, 'tests')
    ON CONFLICT (name) DO NOTHING
""")

_SCHEDULE = text("""
INSERT INTO callboard.schedules (job_name, key, expr, tz, args, kwargs, misfire, misfire_limit, grace_ms
     , enabled, checked_until)
VALUES (:job, :key, :expr, :tz, :args, :kwargs, :misfire, :limit, :grace_ms, :enabled
     , coalesce(:checked_until, now()))
RETURNING id
""").bindparams(bindparam("args", type_=JSONB), bindparam("kwargs", type_=JSONB))

_OCCURRENCES = text("""
SELECT due_at, disposition, reason, run_id
  FROM callboard.occurrences
 WHERE schedule_id = :id
 ORDER BY due_at
""")


def add_schedule(
    engine: Engine,
    job: str,
    expr: str = "* * * * * *",
    *,
    tz: str = "UTC",
    key: str = "test",
    queue: str = "default",
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    misfire: str = "run_once",
    limit: int = 100,
    grace_ms: int = 60_000,
    enabled: bool = True,
    checked_until: datetime | None = None,
) -> int:
    """Add a schedule, and its job where there is none. Returns the schedule's id."""
    with engine.begin() as connection:
        connection.execute(_JOB, {"job": job, "queue": queue})
        values = {
            "job": job,
            "key": key,
            "expr": expr,
            "tz": tz,
            "args": args or [],
            "kwargs": kwargs or {},
            "misfire": misfire,
            "limit": limit,
            "grace_ms": grace_ms,
            "enabled": enabled,
            "checked_until": checked_until,
        }
        schedule_id: int = connection.execute(_SCHEDULE, values).scalar_one()
    return schedule_id


def occurrences(engine: Engine, schedule_id: int) -> list[tuple[datetime, str, str, UUID | None]]:
    """What has become of a schedule's slots, oldest first: (due_at, disposition, reason, run_id)."""
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(_OCCURRENCES, {"id": schedule_id})]  # type: ignore[misc]


def dispositions(engine: Engine, schedule_id: int) -> Counter[str]:
    """How many of a schedule's slots came to what."""
    return Counter(disposition for _, disposition, _, _ in occurrences(engine, schedule_id))


def execute(engine: Engine, statement: str, **values: Any) -> None:
    """Run one statement in a transaction."""
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def fetch(engine: Engine, statement: str, **values: Any) -> list[Any]:
    """The rows of one query; of a single column, its values."""
    with engine.begin() as connection:
        rows = connection.execute(text(statement), values).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]
