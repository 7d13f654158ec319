"""The uptime log: what each health check found."""

from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_STORE = text("""
INSERT INTO callboard.uptime_checks (status, duration_ms, checks)
VALUES (:status, :duration_ms, :checks)
""").bindparams(bindparam("checks", type_=JSONB))


def store_check(connection: Connection, status: str, duration_ms: int, checks: dict[str, Any]) -> None:
    """Add a row to the uptime log. `status` is healthy, degraded or down."""
    connection.execute(_STORE, {"status": status, "duration_ms": duration_ms, "checks": checks})
