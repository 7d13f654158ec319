"""What is to be told of alerts, and to which place: an outbox in PostgreSQL.

`plan_messages` writes down what follows from how the alerts are: whoever does so, and however often, each
thing is planned once. `claim_messages` gives what is due of a place to one scheduler for a while; nothing is
locked while it sends. Should it die meanwhile, another one claims it after that, and sends again what may
have been sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

#: Seconds that the first alert of several waits for the others.
GATHER_S = 5
#: Seconds that a scheduler has for sending what it claims.
LEASE_S = 180
#: The most alerts in one message.
MOST = 50
#: Seconds until a message that could not be sent is tried again, at first and at most; and for how long.
FIRST_RETRY_S, LONGEST_RETRY_S, GIVEN_UP_S = 15, 900, 86_400

_NOT_NEEDED = text("""
DELETE FROM callboard.alert_messages m
 USING callboard.alerts a
 WHERE a.id = m.alert_id AND m.sent_at IS NULL AND m.what <> 'resolved'
   AND coalesce(m.claimed_until, '-infinity') < now()
   AND (a.resolved_at IS NOT NULL OR a.acknowledged_at IS NOT NULL
        OR callboard.silenced(a.kind, a.subject, now()) IS NOT NULL)
""")

_OPENED = text("""
INSERT INTO callboard.alert_messages (alert_id, place, what, severity, due_at)
SELECT a.id, p.place, 'opened', a.severity, now() + :gather_s * interval '1 second'
  FROM callboard.alerts a
 CROSS JOIN unnest(cast(:places AS text[])) AS p (place)
 WHERE a.resolved_at IS NULL AND a.acknowledged_at IS NULL AND a.severity = ANY(cast(:severities AS text[]))
   AND callboard.silenced(a.kind, a.subject, now()) IS NULL
   AND NOT EXISTS (SELECT FROM callboard.alert_messages m WHERE m.alert_id = a.id AND m.place = p.place)
    ON CONFLICT DO NOTHING
""")

# Of an alert that has become critical since it was told the reminder does not wait.
_REMINDERS = text("""
INSERT INTO callboard.alert_messages (alert_id, place, what, nth, severity, due_at)
SELECT a.id, m.place, 'reminder', m.reminders + 1, a.severity, now()
  FROM callboard.alerts a
  JOIN LATERAL (
       SELECT place, count(*) FILTER (WHERE what = 'reminder') AS reminders, max(sent_at) AS last_at
            , (array_agg(severity ORDER BY sent_at DESC))[1] AS severity
            , bool_and(sent_at IS NOT NULL) AS sent
         FROM callboard.alert_messages
        WHERE alert_id = a.id AND place = ANY(cast(:places AS text[]))
        GROUP BY place
       ) m ON m.sent AND (m.severity <> 'critical'
                          OR :remind_s > 0 AND m.last_at <= now() - :remind_s * interval '1 second')
 WHERE a.resolved_at IS NULL AND a.acknowledged_at IS NULL AND a.severity = 'critical'
   AND callboard.silenced(a.kind, a.subject, now()) IS NULL
    ON CONFLICT DO NOTHING
""")

_RESOLVED = text("""
INSERT INTO callboard.alert_messages (alert_id, place, what, severity, due_at)
SELECT a.id, m.place, 'resolved', a.severity, now() + :gather_s * interval '1 second'
  FROM callboard.alerts a
  JOIN callboard.alert_messages m ON m.alert_id = a.id AND m.what = 'opened' AND m.sent_at IS NOT NULL
 WHERE a.resolved_at > now() - :given_up_s * interval '1 second' AND m.place = ANY(cast(:places AS text[]))
   AND callboard.silenced(a.kind, a.subject, a.resolved_at) IS NULL
    ON CONFLICT DO NOTHING
""")

_CLAIM = text("""
WITH due AS MATERIALIZED (
     SELECT ctid
       FROM callboard.alert_messages
      WHERE place = :place AND sent_at IS NULL AND coalesce(claimed_until, '-infinity') < now()
        AND created_at > now() - :given_up_s * interval '1 second' AND (due_at <= now() OR attempts = 0)
        AND EXISTS (SELECT FROM callboard.alert_messages d
                     WHERE d.place = :place AND d.sent_at IS NULL AND d.due_at <= now()
                       AND d.created_at > now() - :given_up_s * interval '1 second'
                       AND coalesce(d.claimed_until, '-infinity') < now())
      ORDER BY created_at, alert_id
      LIMIT :most
        FOR UPDATE SKIP LOCKED
   ), claimed AS (
     UPDATE callboard.alert_messages m
        SET claimed_until = now() + :lease_s * interval '1 second', attempts = attempts + 1
       FROM due
      WHERE m.ctid = due.ctid
     RETURNING m.alert_id, m.what, m.nth, m.attempts, m.claimed_until
   )
SELECT c.alert_id, c.what, c.nth, c.attempts, c.claimed_until
     , a.kind, a.subject, a.severity, a.message, a.opened_at, a.resolved_at
  FROM claimed c
  JOIN callboard.alerts a ON a.id = c.alert_id
 ORDER BY (c.what = 'resolved'), (a.severity = 'critical') DESC, a.opened_at, a.id
""")

_MINE = """
  FROM unnest(cast(:alert_ids AS bigint[]), cast(:whats AS text[]), cast(:nths AS int[]))
       AS c (alert_id, what, nth)
 WHERE m.alert_id = c.alert_id AND m.place = :place AND m.what = c.what AND m.nth = c.nth
   AND m.claimed_until = :claimed_until AND m.sent_at IS NULL
"""
_SENT = text(f"""
UPDATE callboard.alert_messages m
   SET sent_at = clock_timestamp(), claimed_until = NULL, last_error = NULL {_MINE}
""")
_FAILED = text(f"""
UPDATE callboard.alert_messages m
   SET claimed_until = NULL, last_error = :error
     , due_at = clock_timestamp()
              + least(:most_s, :first_s * 2 ^ least(m.attempts - 1, 20)) * interval '1 second' {_MINE}
""")


class AlertMessage(NamedTuple):
    """One thing to tell of an alert: that it was `opened` or `resolved`, or a `reminder` of it."""

    alert_id: int
    what: str
    nth: int
    attempts: int
    claimed_until: datetime
    kind: str
    subject: str
    severity: str
    message: str
    opened_at: datetime
    resolved_at: datetime | None


def plan_messages(
    connection: Connection, places: Sequence[str], severities: Sequence[str], *, remind: timedelta
) -> None:
    """Write down what is to be told, to each of the places, of alerts of these severities.

    What is silenced or acknowledged is not; it is once it is neither. `remind`: how long after the last
    word a critical alert is told of again; zero: never.
    """
    values = {
        "places": list(places),
        "severities": list(severities),
        "gather_s": GATHER_S,
        "given_up_s": GIVEN_UP_S,
        "remind_s": remind.total_seconds(),
    }
    for statement in (_NOT_NEEDED, _OPENED, _REMINDERS, _RESOLVED):
        connection.execute(statement, values)


def claim_messages(connection: Connection, place: str) -> list[AlertMessage]:
    """What is due at a place, with whatever else there is for it: the caller's for `LEASE_S` seconds."""
    values = {"place": place, "most": MOST, "lease_s": LEASE_S, "given_up_s": GIVEN_UP_S}
    return [AlertMessage(*row) for row in connection.execute(_CLAIM, values)]


def mark_told(connection: Connection, place: str, messages: Sequence[AlertMessage]) -> None:
    """Note that messages of one claim were sent. What another has claimed since stays that one's."""
    connection.execute(_SENT, _keys(place, messages))


def mark_untold(connection: Connection, place: str, messages: Sequence[AlertMessage], error: str) -> None:
    """Note that messages of one claim could not be sent, and why; they are tried again ever later."""
    later = {"error": error, "first_s": FIRST_RETRY_S, "most_s": LONGEST_RETRY_S}
    connection.execute(_FAILED, _keys(place, messages) | later)


def _keys(place: str, messages: Sequence[AlertMessage]) -> dict[str, object]:
    return {
        "place": place,
        "alert_ids": [each.alert_id for each in messages],
        "whats": [each.what for each in messages],
        "nths": [each.nth for each in messages],
        "claimed_until": messages[0].claimed_until,
    }
