"""Occurrences: what became of each slot of a schedule, and what explains it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

COLUMNS = """l.schedule_id, l.job_name, l.schedule, l.schedule_expr, l.schedule_tz, l.due_at, l.disposition
     , l.reason, l.run_id, l.run_state, l.run_reason, l.decided_at"""

#: The latest of some slots. Each of the conditions on job and schedule can use an index of its own.
PAGE = """
SELECT {columns}
  FROM public.cron_ledger l
 WHERE {conditions}
 ORDER BY l.due_at DESC, l.schedule_id DESC
 LIMIT :limit
"""
CONDITIONS = {
    "job": "l.job_name = :job",
    "schedule_id": "l.schedule_id = :schedule_id",
    "dispositions": "l.disposition = ANY(cast(:dispositions AS text[]))",
    "since": "l.due_at >= :since",
    "until": "l.due_at <= :until",
    "after": "(l.due_at, l.schedule_id) < (:after_at, :after_id)",
}

AROUND = text(f"""
SELECT * FROM (
     (SELECT {COLUMNS} FROM public.cron_ledger l
       WHERE l.job_name = :job AND l.due_at <= :at
       ORDER BY l.due_at DESC LIMIT :limit)
     UNION ALL
     (SELECT {COLUMNS} FROM public.cron_ledger l
       WHERE l.job_name = :job AND l.due_at > :at
       ORDER BY l.due_at LIMIT :limit)) AS around
 ORDER BY due_at, schedule_id
""")

LAST_CHANGE = text("""
SELECT a.at, a.who, a.origin, a.action, a.before, a.after
  FROM callboard.audit a
 WHERE a.target = :target AND a.outcome = 'done' AND a.action = ANY(cast(:actions AS text[]))
   AND a.at <= :at
 ORDER BY a.at DESC
 LIMIT 1
""")

NEXT_CHANGE = text("""
SELECT a.at, a.who, a.origin, a.action, a.before, a.after
  FROM callboard.audit a
 WHERE a.target = :target AND a.outcome = 'done' AND a.action = ANY(cast(:actions AS text[]))
   AND a.at > :at
 ORDER BY a.at
 LIMIT 1
""")

WAITING = text("SELECT attempts, last_error FROM callboard.outbox WHERE run_id = :run_id")

FOLLOWING = text(f"""
SELECT {COLUMNS}
  FROM public.cron_ledger l
 WHERE l.schedule_id = :id AND l.due_at >= :at
 ORDER BY l.due_at
 LIMIT 1
""")


def page(
    connection: Connection,
    *,
    limit: int,
    job: str | None = None,
    schedule_id: int | None = None,
    dispositions: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, int] | None = None,
) -> Sequence[Row]:
    """One row a slot that was decided, the latest first; `after` is the last one of the page before."""
    given: dict[str, Any] = {
        "job": job,
        "schedule_id": schedule_id,
        "dispositions": None if dispositions is None else list(dispositions),
        "since": since,
        "until": until,
        "after": after,
    }
    conditions = [CONDITIONS[name] for name, value in given.items() if value is not None] or ["true"]
    after_at, after_id = after or (None, None)
    values = {**given, "limit": limit, "after_at": after_at, "after_id": after_id}
    query = text(PAGE.format(columns=COLUMNS, conditions=" AND ".join(conditions)))
    return connection.execute(query, values).mappings().all()


def around(connection: Connection, job: str, at: datetime, *, limit: int) -> Sequence[Row]:
    """The decided slots of a job on either side of a moment, at most `limit` a side, ascending."""
    return connection.execute(AROUND, {"job": job, "at": at, "limit": limit}).mappings().all()


def last_change(connection: Connection, target: str, actions: Sequence[str], at: datetime) -> Row | None:
    """The last audited change of something that was made by then."""
    values = {"target": target, "actions": list(actions), "at": at}
    return connection.execute(LAST_CHANGE, values).mappings().one_or_none()


def next_change(connection: Connection, target: str, actions: Sequence[str], at: datetime) -> Row | None:
    """The first audited change of something that was made after then."""
    values = {"target": target, "actions": list(actions), "at": at}
    return connection.execute(NEXT_CHANGE, values).mappings().one_or_none()


def waiting(connection: Connection, run_id: UUID) -> Row | None:
    """The message of a run, if it is not yet sent: how often that was tried, and what came of it."""
    return connection.execute(WAITING, {"run_id": run_id}).mappings().one_or_none()


def following(connection: Connection, schedule_id: int, at: datetime) -> Row | None:
    """The first decided slot of a schedule at or after a moment."""
    return connection.execute(FOLLOWING, {"id": schedule_id, "at": at}).mappings().one_or_none()
