"""Alerts: what is amiss now, and what was."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.control.context import Context
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.health.alarms import OF_JOBS, OF_QUEUES
from callboard.core.limits import storable
from callboard.core.places import addresses, place_names
from callboard.storage.queries import alerts as queries


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing amiss, from when to when; `resolved_at` is None while it is. `details` differ by kind.

    `silenced_until`: until when nobody is told of it; once it is over, that it was not told when it opened.
    `told_at` is when somebody first was, `trouble` why a message did not get through.
    """

    id: int
    kind: str
    subject: str
    severity: str
    message: str
    details: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    ack_note: str | None = None
    silenced_until: datetime | None = None
    silence_reason: str | None = None
    told_at: datetime | None = None
    trouble: str | None = None

    @property
    def open(self) -> bool:
        """Whether it is amiss now."""
        return self.resolved_at is None

    @property
    def job(self) -> str | None:
        """The job that it is about; None where it is about something else, or several."""
        return self.subject if self.kind in OF_JOBS and "jobs" not in self.details else None

    def concerns_job(self, name: str) -> bool:
        """Whether it says that this job fails, alone or with others."""
        return self.kind in OF_JOBS and name in self.details.get("jobs", (self.subject,))

    def concerns_queue(self, name: str) -> bool:
        """Whether it is about this queue, alone or with others."""
        return self.kind in OF_QUEUES and name in self.details.get("queues", (self.subject,))


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


def worst_first(found: Iterable[Alert]) -> list[Alert]:
    """Those first that nobody has taken on and nobody has silenced, of these the critical ones."""
    return sorted(
        found,
        key=lambda alert: (
            alert.acknowledged_at is not None or alert.silenced_until is not None,
            alert.severity != "critical",
            alert.opened_at,
        ),
    )


def kinds(context: Context) -> tuple[str, ...]:
    """The kinds that there are, or were, alerts of.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with context.read() as connection:
        return tuple(queries.kinds(connection))


def places(context: Context) -> tuple[str, ...]:
    """Where people are told of alerts, without what is secret of it."""
    secret = context.settings.callboard_alert_urls
    return () if secret is None else tuple(place_names(addresses(secret.get_secret_value())))
