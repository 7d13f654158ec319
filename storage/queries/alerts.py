"""What an operator should hear of, or should have heard; and who has."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

_COLUMNS = """
       a.id, a.kind, a.subject, a.severity, a.message, a.details, a.opened_at, a.resolved_at
     , a.acknowledged_at, a.acknowledged_by, a.ack_note
     , s.until_at AS silenced_until, s.reason AS silence_reason
     , m.told_at, m.trouble
"""
_MORE = """
  LEFT JOIN callboard.silences s
    ON s.id = callboard.silenced(a.kind, a.subject
            , CASE WHEN a.resolved_at IS NULL THEN now() ELSE a.opened_at END)
  LEFT JOIN LATERAL (
       SELECT min(sent_at) FILTER (WHERE what = 'opened') AS told_at
            , string_agg(place || ': ' || last_error, '; ' ORDER BY place)
              FILTER (WHERE sent_at IS NULL AND last_error IS NOT NULL) AS trouble
         FROM callboard.alert_messages
        WHERE alert_id = a.id
       ) m ON true
"""

LATEST = text(f"""
SELECT {_COLUMNS}
  FROM (SELECT *
          FROM callboard.alerts
         WHERE (resolved_at IS NULL OR NOT cast(:open AS boolean))
           AND (cast(:kind AS text) IS NULL OR kind = :kind)
           AND (cast(:at AS timestamptz) IS NULL OR (opened_at, id) < (:at, :id))
         ORDER BY opened_at DESC, id DESC
         LIMIT :limit) a {_MORE}
 ORDER BY a.opened_at DESC, a.id DESC
""")
ONE = text(f"SELECT {_COLUMNS} FROM callboard.alerts a {_MORE} WHERE a.id = :id FOR UPDATE OF a")
SUBJECT = text("""
SELECT id, kind, subject, severity, message, details, opened_at, resolved_at
  FROM callboard.alerts
 WHERE id = :id
""")
UNTOLD = text("""
SELECT place, count(DISTINCT alert_id)::int AS alerts, max(last_error) AS error
  FROM callboard.alert_messages
 WHERE sent_at IS NULL AND last_error IS NOT NULL AND place = ANY(cast(:places AS text[]))
   AND created_at > now() - interval '1 day'
 GROUP BY place
 ORDER BY place
""")
KINDS = text("SELECT DISTINCT kind FROM callboard.alerts ORDER BY kind")
ACKNOWLEDGE = text("""
UPDATE callboard.alerts
   SET acknowledged_at = now(), acknowledged_by = :by, ack_note = :note
 WHERE id = :id
""")
UNACKNOWLEDGE = text("""
UPDATE callboard.alerts
   SET acknowledged_at = NULL, acknowledged_by = NULL, ack_note = NULL
 WHERE id = :id
""")


def latest(
    connection: Connection,
    *,
    open_only: bool,
    kind: str | None,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> Sequence[Row]:
    """One row an alert, the latest first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {"open": open_only, "kind": kind, "limit": limit, "at": at, "id": last}
    return connection.execute(LATEST, values).mappings().all()


def subject(connection: Connection, alert_id: int) -> Row | None:
    """What one alert is about, or None."""
    return connection.execute(SUBJECT, {"id": alert_id}).mappings().one_or_none()


def alert(connection: Connection, alert_id: int) -> Row | None:
    """One alert, locked, or None."""
    return connection.execute(ONE, {"id": alert_id}).mappings().one_or_none()


def untold(connection: Connection, places: Sequence[str]) -> Sequence[Row]:
    """One row a place that of late could not be told: of how many alerts, and why."""
    return connection.execute(UNTOLD, {"places": list(places)}).mappings().all()


def kinds(connection: Connection) -> list[str]:
    """The kinds that there are, or were, alerts of."""
    return list(connection.execute(KINDS).scalars())


def acknowledge(connection: Connection, alert_id: int, *, by: str, note: str | None) -> None:
    """Note who has taken an alert upon themselves."""
    connection.execute(ACKNOWLEDGE, {"id": alert_id, "by": by, "note": note})


def unacknowledge(connection: Connection, alert_id: int) -> None:
    """Note that nobody has."""
    connection.execute(UNACKNOWLEDGE, {"id": alert_id})
