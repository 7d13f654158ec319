"""Runs as the recorder writes them, for tests that have none."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from callboard.core.states import rank

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)

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
    row = database.execute("SELECT * FROM callboard.runs WHERE run_id = %s", (run_id,)).fetchone()
    assert row is not None
    return row


def logged(database: Database, run_id: uuid.UUID) -> dict[str, Any] | None:
    return database.execute("SELECT * FROM cron_job_logs WHERE id = %s", (run_id,)).fetchone()
