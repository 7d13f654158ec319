"""Alerts: what is amiss now, and what was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.control.context import Context
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.limits import storable
from callboard.storage.queries import alerts as queries


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing amiss, from when to when; `resolved_at` is None while it is. `details` differ by kind."""

    id: int
    kind: str
    subject: str
    severity: str
    message: str
    details: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None


def alerts(
    context: Context,
    *,
    open_only: bool = True,
    kind: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> tuple[tuple[Alert, ...], str | None]:
    """A page of the alerts that are open, or of all, the latest first, and the cursor of the next one.

    Raises:
        BadInput: no page has that cursor.
        Unavailable: PostgreSQL does not answer.
    """
    wanted = None if kind is None else storable(kind)
    after = read_cursor(cursor, int)
    with context.read() as connection:
        rows = queries.latest(connection, open_only=open_only, kind=wanted, limit=limit + 1, after=after)
    return cut_page([Alert(**row) for row in rows], limit, lambda alert: (alert.opened_at, alert.id))
