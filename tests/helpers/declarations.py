"""Jobs in the database as a worker would declare them, and executions as somebody's SQL would log them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, text

from callboard.storage.registry import register_jobs

LOG = text("""
INSERT INTO cron_job_logs (job_name, status, started_at, completed_at, duration_ms, error_message)
VALUES (:job, :status, :at, :ended, :ms, :error)
""")


def job(name: str = "health-check", *schedules: str, **fields: Any) -> dict[str, Any]:
    """A declaration; the schedules are cron expressions, `expr` or `expr @ zone`."""
    declared = {
        "name": name,
        "queue": "default",
        "description": f"What {name} does",
        "category": "monitoring",
        "enabled": True,
        "options": {"mutex": True, "backoff": "linear"},
        "time_limit_ms": 30_000,
        "max_attempts": 1,
        "signature": [],
        "schedules": [schedule(number, text) for number, text in enumerate(schedules, start=1)],
    }
    return declared | fields


def schedule(number: int, expression: str) -> dict[str, Any]:
    """A schedule as the code declares it."""
    expr, _, zone = expression.partition(" @ ")
    return {
        "key": f"code:{number}",
        "expr": expr,
        "tz": zone or "UTC",
        "args": [],
        "kwargs": {},
        "misfire": "run_once",
        "misfire_limit": 100,
        "grace_ms": 60_000,
    }


def declare(engine: Engine, *jobs: dict[str, Any]) -> None:
    """Register jobs under one source, and nothing else under it."""
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        register_jobs(driver, "tests", list(jobs))


def log_execution(
    connection: Connection, job: str, at: datetime, *, ms: int | None = 100, error: str | None = None
) -> None:
    """An execution that began then: it succeeded, failed where there is an error, or goes on without ms."""
    status = "started" if ms is None else "failed" if error else "completed"
    ended = None if ms is None else at + timedelta(milliseconds=ms)
    connection.execute(
        LOG, {"job": job, "status": status, "at": at, "ended": ended, "ms": ms, "error": error}
    )


def run_ids(engine: Engine, job: str) -> list[UUID]:
    """The ids of a job's runs, the earliest first."""
    with engine.connect() as connection:
        query = text("SELECT run_id FROM callboard.runs WHERE job = :job ORDER BY enqueued_at, run_id")
        return list(connection.execute(query, {"job": job}).scalars())


def audit(engine: Engine) -> list[dict[str, Any]]:
    """The audit trail, the earliest first, without ids and times."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT who, role, origin, address, action, target, before, after, outcome, reason"
                "  FROM callboard.audit ORDER BY id"
            )
        )
        return [dict(row) for row in rows.mappings()]
