"""The audit trail: who did what, from where, and what it changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

WRITE = text("""
INSERT INTO callboard.audit (who, role, origin, address, action, target, before, after, outcome, reason)
VALUES (:who, :role, :origin, :address, :action, :target, :before, :after, :outcome, :reason)
""").bindparams(
    bindparam("before", type_=JSONB(none_as_null=True)), bindparam("after", type_=JSONB(none_as_null=True))
)

LATEST = text("""
SELECT id, at, who, role, origin, address, action, target, before, after, outcome, reason
  FROM callboard.audit
 WHERE (cast(:before_id AS bigint) IS NULL OR id < :before_id)
   AND (cast(:target AS text) IS NULL OR target = :target)
   AND (cast(:job AS text) IS NULL
        OR target IN (:job, 'job ' || :job) OR starts_with(target, :job || '/'))
   AND (cast(:who AS text) IS NULL OR who = :who)
   AND (cast(:action AS text) IS NULL OR action = :action)
 ORDER BY id DESC
 LIMIT :limit
""")

FAILED_LOGINS = text("""
SELECT count(*) FILTER (WHERE target = :target AND address IS NOT DISTINCT FROM :address) AS of_both
     , count(*) FILTER (WHERE target = :target) AS of_name
     , count(*) FILTER (WHERE address IS NOT DISTINCT FROM :address) AS of_address
     , min(at) AS first_at
     , now() AS now
  FROM callboard.audit
 WHERE action = 'log_in' AND outcome = 'refused'
   AND at > now() - cast(:window AS interval)
   AND reason IS DISTINCT FROM :throttled
   AND (target = :target OR address IS NOT DISTINCT FROM :address)
   AND id > coalesce((SELECT max(id)
                        FROM callboard.audit
                       WHERE action = 'log_in' AND outcome = 'done' AND at > now() - cast(:window AS interval)
                         AND target = :target AND address IS NOT DISTINCT FROM :address), 0)
""")

THROTTLED_LATELY = text("""
SELECT EXISTS (
       SELECT FROM callboard.audit
        WHERE action = 'log_in' AND reason = :throttled AND at > now() - interval '1 minute'
          AND target = :target AND address IS NOT DISTINCT FROM :address)
""")

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def write(connection: Connection, entry: dict[str, Any]) -> None:
    """Add one row, in the caller's transaction. The entry has every column but `id` and `at`."""
    connection.execute(WRITE, entry)


def latest(
    connection: Connection,
    *,
    limit: int,
    before_id: int | None = None,
    target: str | None = None,
    who: str | None = None,
    action: str | None = None,
    job: str | None = None,
) -> Sequence[Row]:
    """One row an audited action, the latest first; of a `job`: those on it and on its schedules."""
    values = {
        "limit": limit, "before_id": before_id, "target": target, "who": who, "action": action, "job": job,
    }  # fmt: skip
    return connection.execute(LATEST, values).mappings().all()


def failed_logins(
    connection: Connection, *, target: str, address: str | None, window_s: int, throttled: str
) -> Row:
    """How often a login failed within the window: by name and address together, by name, by address.

    A success of that name from that address forgives what came before it.
    """
    values = {"target": target, "address": address, "window": f"{window_s} seconds", "throttled": throttled}
    return connection.execute(FAILED_LOGINS, values).mappings().one()


def throttled_lately(connection: Connection, *, target: str, address: str | None, throttled: str) -> bool:
    """Whether an attempt of that name from that address was noted as throttled in the last minute."""
    values = {"target": target, "address": address, "throttled": throttled}
    return bool(connection.execute(THROTTLED_LATELY, values).scalar_one())


def lock(connection: Connection, key: str) -> None:
    """Hold others off that take the same key, until the transaction ends."""
    connection.execute(LOCK, {"key": key})


def now(connection: Connection) -> datetime:
    """The database's clock."""
    moment: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return moment
