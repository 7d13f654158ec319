"""Runs as the recorder writes them, for tests that have none."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from callboard.core.states import rank

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

#: A connection whose rows are dictionaries.
Database = psycopg.Connection[dict[str, Any]]


def add_run(database: Database, state: str, started: bool = True, **columns: Any) -> uuid.UUID:
    """A run as the recorder writes it; columns as given, or likely ones."""
    attempt = columns.get("attempt", 1)
    began = columns.pop("started_at", NOW - HOUR / 2) if started else None
    row: dict[str, Any] = {
        "run_id": uuid.uuid4(),
        "enqueued_at": (began or NOW) - timedelta(seconds=1),
        "job": "a-job",
        "queue": "default",
        "state": state,
        "rank": rank(state, attempt),
        "attempt": attempt,
        "started_at": began,
        "attempt_started_at": began,
        "execution_id": uuid.uuid4() if started else None,
        **columns,
    }
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    database.execute(f"INSERT INTO callboard.runs ({names}) VALUES ({places})", list(row.values()))
    run_id: uuid.UUID = row["run_id"]
    return run_id


def run(database: Database, run_id: uuid.UUID) -> dict[str, Any]:
    """The row of a run."""
    row = database.execute("SELECT * FROM callboard.runs WHERE run_id = %s", (run_id,)).fetchone()
    assert row is not None
    return row


def logged(database: Database, run_id: uuid.UUID) -> dict[str, Any] | None:
    """The row of `cron_job_logs`, if there is one."""
    return database.execute("SELECT * FROM cron_job_logs WHERE id = %s", (run_id,)).fetchone()


def one(database: Database, query: str, *values: Any) -> dict[str, Any]:
    """The row that a query returns; there must be one."""
    row = database.execute(query, values).fetchone()
    assert row is not None
    return row


def log(database: Database, status: str, ended: datetime, ms: int = 1000) -> None:
    """An execution of `a-job` that was logged by SQL."""
    database.execute(
        "INSERT INTO cron_job_logs (job_name, status, started_at, completed_at, duration_ms)"
        " VALUES ('a-job', %s, %s, %s, %s)",
        (status, ended - timedelta(milliseconds=ms), ended, ms),
    )


def add_job(database: Database, name: str = "a-job", **columns: Any) -> None:
    """A declared job."""
    row = {"name": name, "source": "tests", **columns}
    places = ", ".join(["%s"] * len(row))
    database.execute(f"INSERT INTO callboard.jobs ({', '.join(row)}) VALUES ({places})", list(row.values()))
