"""Alerts opened by the batch."""

from sqlalchemy import Engine

from callboard.storage.alerts import NewAlert, open_alert, open_alerts, resolve_alert
from helpers.rows import rows

ALERTS = """
SELECT subject, severity, message, details, resolved_at IS NULL FROM callboard.alerts ORDER BY id
"""


def test_alerts_are_opened_together_and_those_that_are_open_brought_up_to_date(engine: Engine) -> None:
    with engine.begin() as connection:
        open_alert(connection, "review", "a", "old")
        open_alert(connection, "review", "b", "over")
        resolve_alert(connection, "review", "b")
        open_alerts(connection, "review", [])

        open_alerts(
            connection,
            "review",
            [NewAlert(subject, "new", "critical", {"rating": 1}) for subject in ("a", "b", "c")],
        )

    new = ("critical", "new", {"rating": 1}, True)
    assert rows(engine, ALERTS) == [
        ("a", *new),
        ("b", "warning", "over", {}, False),
        ("b", *new),
        ("c", *new),
    ]
