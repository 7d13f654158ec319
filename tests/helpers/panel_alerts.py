"""Alerts and silences, for pages that show them."""

import psycopg
from psycopg.types.json import Jsonb

HOSTILE = "<script>alert(1)</script> [click](http://evil.example) **bold**"

#: Kind, subject, severity, minutes since it opened, message, details.
OPEN = (
    (
        "queue_bottleneck", "exports", "critical", 22,
        "36 runs are due, and no live worker serves the queue.",
        {"cause": "no_consumer"},
    ),
    (
        "burn_rate", "send-review-requests", "critical", 17,
        "send-review-requests fails 7.6 times as often as its objective of 95% allows.",
        {"burn_rate": 7.6},
    ),
    (
        "breaker_open", "whatsapp", "warning", 96,
        "The breaker whatsapp is open: ConnectTimeout: no answer within 10 s.", {"cause": "ConnectTimeout"},
    ),
    ("health", "disk", "warning", 1_500, "9 % of the disk are free: 4.1 GB.", {}),
    ("review", "review 118", "warning", 600, f"A customer gave one star: {HOSTILE}", {"rating": 1}),
)  # fmt: skip

#: Kind, subject, severity, hours since it opened, minutes that it lasted, message.
OVER = (
    ("queue_backlog", "default", "warning", 9, 23, "148 runs wait in the queue default; the limit is 100."),
    ("job_failures", "process-referrals", "critical", 31, 130, "11 of the last 20 runs failed."),
    ("queue_slow", "mail", "warning", 52, 46, "95 % of the runs in the queue mail take up to 41.2 s."),
    ("health", "redis", "critical", 75, 4, "Redis does not answer."),
    ("breaker_open", "smtp", "warning", 99, 5, "The breaker smtp is open: SMTPServerDisconnected."),
    ("clock_step", "worker-2", "warning", 140, 60, "The clock has jumped by 3.2 s."),
)  # fmt: skip

PLACES = ("mailto://mail.example.org", "slack")


def add_alerts(connection: psycopg.Connection, *, said: str = HOSTILE) -> None:
    """Alerts of every state: open, acknowledged, silenced, told and not told, and over.

    `said` is what an unhappy customer has written.
    """
    ids = {}
    for kind, subject, severity, minutes, message, details in OPEN:
        row = connection.execute(
            "INSERT INTO callboard.alerts (kind, subject, severity, message, details, opened_at)"
            " VALUES (%s, %s, %s, %s, %s, now() - %s * interval '1 minute') RETURNING id",
            (kind, subject, severity, message.replace(HOSTILE, said), Jsonb(details), minutes),
        ).fetchone()
        assert row is not None
        ids[subject] = row[0]
    for kind, subject, severity, hours, minutes, message in OVER:
        connection.execute(
            "INSERT INTO callboard.alerts (kind, subject, severity, message, opened_at, resolved_at"
            ", acknowledged_at, acknowledged_by, ack_note)"
            " VALUES (%s, %s, %s, %s, now() - %s * interval '1 hour'"
            ", now() - %s * interval '1 hour' + %s * interval '1 minute', %s, %s, %s)",
            (
                kind, subject, severity, message, hours, hours, minutes, None,
                *(("otto", "the partner was told") if kind == "job_failures" else (None, None)),
            ),
        )  # fmt: skip
    connection.execute(
        "UPDATE callboard.alerts SET acknowledged_at = now() - interval '80 min', acknowledged_by = 'otto'"
        ", ack_note = 'Meta says that it will be back at 11' WHERE id = %s",
        (ids["whatsapp"],),
    )
    connection.execute(
        "INSERT INTO callboard.silences"
        " (kind, subject, from_at, until_at, reason, created_by, created_at, ended_by)"
        " VALUES ('health', 'disk', now() - interval '2 hours', now() + interval '3 hours'"
        ", 'The new disk comes this afternoon', 'otto', now() - interval '2 hours', NULL)"
        ", (NULL, 'mail*', now() - interval '2 days', now() - interval '44 hours', 'The mail server is moved'"
        ", 'mara', now() - interval '2 days', 'mara')"
    )
    for subject, place, error in (
        ("exports", PLACES[0], None),
        ("exports", PLACES[1], None),
        ("whatsapp", PLACES[0], None),
        ("send-review-requests", PLACES[0], None),
        ("send-review-requests", PLACES[1], "a Connection error occurred sending the notification"),
    ):
        connection.execute(
            "INSERT INTO callboard.alert_messages (alert_id, place, what, severity, due_at, attempts, sent_at"
            ", last_error) SELECT id, %s, 'opened', severity, opened_at, 1"
            ", CASE WHEN %s::text IS NULL THEN opened_at + interval '6 s' END, %s"
            "  FROM callboard.alerts WHERE id = %s",
            (place, error, error, ids[subject]),
        )


def remove_alerts(connection: psycopg.Connection) -> None:
    """All of them."""
    connection.execute("DELETE FROM callboard.alerts")
    connection.execute("DELETE FROM callboard.silences")
