"""Alerts: what an operator should hear of, one open row for each kind and subject."""

from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_OPEN = text("""
INSERT INTO callboard.alerts (kind, severity, subject, message, details)
SELECT :kind, :severity, :subject, :message, :details
 WHERE NOT EXISTS (SELECT FROM callboard.alerts
                    WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL)
""").bindparams(bindparam("details", type_=JSONB))

_RESOLVE = text("""
UPDATE callboard.alerts
   SET resolved_at = clock_timestamp()
 WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL
   AND opened_at <= now() - :age_s * interval '1 second'
""")


def open_alert(
    connection: Connection,
    kind: str,
    subject: str,
    message: str,
    *,
    severity: str = "warning",
    **details: Any,
) -> bool:
    """Open an alert, unless one of the same kind and subject is open. Returns whether it was opened."""
    values = {"kind": kind, "subject": subject, "message": message, "severity": severity, "details": details}
    return connection.execute(_OPEN, values).rowcount > 0


def resolve_alert(connection: Connection, kind: str, subject: str, *, age_s: float = 0.0) -> bool:
    """Close the alert of that kind and subject, once it has been open for `age_s`. Returns whether it was."""
    return connection.execute(_RESOLVE, {"kind": kind, "subject": subject, "age_s": age_s}).rowcount > 0
