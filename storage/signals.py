"""What the fleet must be told: what is switched off or paused, and which runs must not go on."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, text

#: Serialises "read the switches, write them to Redis" among schedulers; any number does.
_SWITCHES_LOCK = 0x63616C6C626F6172

_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")

_DISABLED = text("""
SELECT coalesce(c.job_name, j.name) AS job_name, c.notes AS reason
     , coalesce(u.name, c.last_modified_by::text) AS by
     , (extract(epoch FROM coalesce(c.last_modified_at, j.first_seen_at)) * 1000)::bigint AS at
  FROM public.cron_job_config c
  FULL JOIN callboard.jobs j ON j.name = c.job_name
  LEFT JOIN callboard.users u ON u.id = c.last_modified_by
 WHERE NOT coalesce(c.enabled, c.job_name IS NOT NULL OR j.enabled_default)
""")

_PAUSED = text("""
SELECT scope, name, reason, paused_by AS by, (extract(epoch FROM paused_at) * 1000)::bigint AS at
  FROM callboard.pauses
""")

_TAKE = text("""
SELECT id, kind, payload, (extract(epoch FROM created_at) * 1000)::bigint AS at
  FROM callboard.signals
 ORDER BY id
 LIMIT :limit
   FOR UPDATE SKIP LOCKED
""")

_DELETE = text("DELETE FROM callboard.signals WHERE id = ANY(cast(:ids AS bigint[]))")


class Switch(NamedTuple):
    """One job that is switched off. `at` is in ms since 1970."""

    job_name: str
    reason: str | None
    by: str | None
    at: int


class Pause(NamedTuple):
    """A queue, a job or everything (then without a name) that is paused. `at` is in ms since 1970."""

    scope: str
    name: str
    reason: str
    by: str
    at: int


class Signal(NamedTuple):
    """One signal that is not yet sent. `at` is in ms since 1970."""

    id: int
    kind: str
    payload: dict[str, Any]
    at: int


def disabled_jobs(connection: Connection) -> list[Switch]:
    """The jobs that are switched off.

    Until the transaction ends no other scheduler reads them this way, so that whoever passes them on last
    passes on the latest.
    """
    connection.execute(_LOCK, {"lock": _SWITCHES_LOCK})
    return [Switch(*row) for row in connection.execute(_DISABLED)]


def pauses(connection: Connection) -> list[Pause]:
    """What is paused; to be read after `disabled_jobs`, under its lock."""
    return [Pause(*row) for row in connection.execute(_PAUSED)]


def take_signals(connection: Connection, limit: int) -> list[Signal]:
    """Lock and return signals, oldest first, passing by those that another scheduler holds."""
    return [Signal(*row) for row in connection.execute(_TAKE, {"limit": limit})]


def mark_signalled(connection: Connection, ids: list[int]) -> None:
    """Delete signals that have been sent."""
    connection.execute(_DELETE, {"ids": ids})
