"""Alerts: what an operator should hear of, one open row for each kind and subject."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_OPEN = text("""
INSERT INTO callboard.alerts (kind, severity, subject, message, details)
VALUES (:kind, :severity, :subject, :message, :details)
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
   SET severity = excluded.severity, message = excluded.message, details = excluded.details
RETURNING xmax = 0
""").bindparams(bindparam("details", type_=JSONB))

_OPEN_ALL = text("""
INSERT INTO callboard.alerts (kind, severity, subject, message, details)
SELECT :kind, a.severity, a.subject, a.message, a.details
  FROM jsonb_to_recordset(:alerts) AS a (severity text, subject text, message text, details jsonb)
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
   SET severity = excluded.severity, message = excluded.message, details = excluded.details
""").bindparams(bindparam("alerts", type_=JSONB))

_RESOLVE = text("""
UPDATE callboard.alerts
   SET resolved_at = clock_timestamp()
 WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL
   AND opened_at <= now() - :age_s * interval '1 second'
""")

_RESOLVE_OTHERS = text("""
UPDATE callboard.alerts
   SET resolved_at = clock_timestamp()
 WHERE kind = :kind AND subject <> ALL(cast(:subjects AS text[])) AND resolved_at IS NULL
   AND opened_at <= now() - :age_s * interval '1 second'
""")

_OPENED = text("""
SELECT kind, subject, coalesce(details -> 'jobs', details -> 'queues', '[]') AS members
  FROM callboard.alerts
 WHERE resolved_at IS NULL AND kind = ANY(cast(:kinds AS text[]))
""")

_SILENCED = text("""
SELECT kind, subject
  FROM unnest(cast(:kinds AS text[]), cast(:subjects AS text[])) AS a (kind, subject)
 WHERE callboard.silenced(kind, subject, now()) IS NOT NULL
""")

#: Whoever holds it is the one that judges that.
_JUDGE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('callboard.alerts.' || :what, 0))")


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is to be opened."""

    subject: str
    message: str
    severity: str = "warning"
    details: dict[str, Any] = field(default_factory=dict)


def open_alert(
    connection: Connection,
    kind: str,
    subject: str,
    message: str,
    *,
    severity: str = "warning",
    **details: Any,
) -> bool:
    """Open an alert, or bring an open one of that kind and subject up to date. Returns whether it is new."""
    values = {"kind": kind, "subject": subject, "message": message, "severity": severity, "details": details}
    return bool(connection.execute(_OPEN, values).scalar_one())


def open_alerts(connection: Connection, kind: str, alerts: Sequence[NewAlert]) -> None:
    """Open alerts of one kind and different subjects, or bring those that are open up to date."""
    if alerts:
        connection.execute(_OPEN_ALL, {"kind": kind, "alerts": [asdict(alert) for alert in alerts]})


def resolve_alert(connection: Connection, kind: str, subject: str, *, age_s: float = 0.0) -> bool:
    """Close the alert of that kind and subject, once it has been open for `age_s`. Returns whether it was."""
    return connection.execute(_RESOLVE, {"kind": kind, "subject": subject, "age_s": age_s}).rowcount > 0


def resolve_others(
    connection: Connection, kind: str, subjects: Collection[str], *, age_s: float = 0.0
) -> int:
    """Close all alerts of a kind, open for `age_s`, but those of the given subjects. Returns how many."""
    values = {"kind": kind, "subjects": list(subjects), "age_s": age_s}
    return connection.execute(_RESOLVE_OTHERS, values).rowcount


def settle_alerts(connection: Connection, kind: str, alerts: Sequence[NewAlert], *, opening: bool) -> None:
    """Close all alerts of a kind but these, which are opened, or brought up to date, where that is wanted."""
    if opening:
        open_alerts(connection, kind, alerts)
    resolve_others(connection, kind, [each.subject for each in alerts])


def opened_alerts(connection: Connection, kinds: Collection[str]) -> dict[tuple[str, str], frozenset[str]]:
    """The kind and subject of each alert of these kinds that is open, with the jobs or queues it is about
    where these are several.
    """
    rows = connection.execute(_OPENED, {"kinds": list(kinds)})
    return {(row.kind, row.subject): frozenset(row.members) for row in rows}


def silenced(connection: Connection, alerts: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these kinds and subjects nobody is told of now."""
    values = {"kinds": [kind for kind, _ in alerts], "subjects": [subject for _, subject in alerts]}
    return {(kind, subject) for kind, subject in connection.execute(_SILENCED, values)}


def may_judge(connection: Connection, what: str) -> bool:
    """Whether nobody else judges that just now; until the end of the transaction nobody will."""
    return bool(connection.execute(_JUDGE, {"what": what}).scalar_one())
