"""Alerts that jobs open, where the setting CRON_ENABLE_ALERT_NOTIFICATIONS has them do so."""

from typing import Any

from sqlalchemy import Connection

from callboard.core.settings import load_settings
from callboard.storage.alerts import open_alert, resolve_alert


def alert(
    connection: Connection,
    kind: str,
    subject: str,
    message: str,
    *,
    severity: str = "warning",
    **details: Any,
) -> bool:
    """Open an alert, or bring an open one of that kind and subject up to date. Returns whether it is new."""
    if not load_settings().cron_enable_alert_notifications:
        return False
    return open_alert(connection, kind, subject, message, severity=severity, **details)


def all_clear(connection: Connection, kind: str, subject: str) -> bool:
    """Close the alert of that kind and subject, whatever the setting says. Returns whether there was one."""
    return resolve_alert(connection, kind, subject)
