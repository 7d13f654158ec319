"""Rows that have outlived their use: which they are, and their removal in batches.

A batch locks only what it removes, passes by what others have locked, and belongs to a transaction of its
own: a removal that is broken off has done what it has done, and the next one goes on from there.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from callboard.storage.tables import alerts, breaker_changes, sessions, silences, uptime_checks


class Leftovers(NamedTuple):
    """The rows of a table, which has an `id`, that may go."""

    table: Table
    condition: ColumnElement[bool]


def expired_sessions() -> Leftovers:
    """Login sessions that have expired or were revoked."""
    ended = or_(sessions.c.expires_at <= func.now(), sessions.c.revoked_at <= func.now())
    return Leftovers(sessions, ended)


def old_uptime_checks(days: int) -> Leftovers:
    """Entries of the uptime log older than so many days."""
    return Leftovers(uptime_checks, uptime_checks.c.checked_at < func.now() - timedelta(days=days))


def old_alerts(days: int) -> Leftovers:
    """Alerts that were resolved more than so many days ago. One that is open stays, however old it is."""
    return Leftovers(alerts, alerts.c.resolved_at < func.now() - timedelta(days=days))


def old_silences(days: int) -> Leftovers:
    """Silences that were over more than so many days ago."""
    return Leftovers(silences, silences.c.until_at < func.now() - timedelta(days=days))


def old_breaker_changes(days: int) -> Leftovers:
    """Changes of circuit breakers older than so many days."""
    return Leftovers(breaker_changes, breaker_changes.c.at < func.now() - timedelta(days=days))


def count_leftovers(connection: Connection, leftovers: Leftovers) -> int:
    """How many rows there are to remove."""
    count: int = connection.execute(
        select(func.count()).select_from(leftovers.table).where(leftovers.condition)
    ).scalar_one()
    return count


def remove_leftovers(connection: Connection, leftovers: Leftovers, limit: int) -> int:
    """Remove up to `limit` rows. Returns how many were; fewer than `limit` means that no other is left."""
    rows = leftovers.table
    going = (
        select(rows.c.id)
        .where(leftovers.condition)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("going")
    )
    return connection.execute(delete(rows).where(rows.c.id.in_(select(going.c.id)))).rowcount
