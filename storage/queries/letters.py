"""Dead letters: runs that ended badly and whose message is kept, and the actions on many of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

#: The letters of a filter. `since` and `until` are by the end of the run.
MATCH = """r.dead_letter IS NOT NULL AND r.state IN ('failed', 'dead')
   AND (cast(:job AS text) IS NULL OR r.job = :job)
   AND (cast(:fingerprint AS text) IS NULL OR r.fingerprint = :fingerprint)
   AND (cast(:text AS text) IS NULL
        OR strpos(lower(concat_ws(' ', r.error_type, r.error, r.reason)), lower(:text)) > 0)
   AND (cast(:since AS timestamptz) IS NULL OR r.finished_at >= :since)
   AND (cast(:until AS timestamptz) IS NULL OR r.finished_at <= :until)"""

LETTERS = text(f"""
SELECT r.run_id, r.enqueued_at, r.job, r.queue, r.state, r.attempt, r.finished_at, r.error_type, r.error
     , r.reason, r.fingerprint
  FROM callboard.runs r
 WHERE {MATCH}
   AND (cast(:at AS timestamptz) IS NULL OR (r.enqueued_at, r.run_id) < (:at, cast(:id AS uuid)))
 ORDER BY r.enqueued_at DESC, r.run_id DESC
 LIMIT :limit
""")

GROUPS = text(f"""
SELECT r.fingerprint, count(*) AS letters, array_agg(DISTINCT r.job) AS jobs, min(r.finished_at) AS first_at
     , max(r.finished_at) AS last_at
     , (array_agg(r.error_type ORDER BY r.finished_at DESC))[1] AS error_type
     , (array_agg(coalesce(r.error, r.reason) ORDER BY r.finished_at DESC))[1] AS error
     , (array_agg(r.run_id ORDER BY r.finished_at DESC))[1] AS run_id
  FROM callboard.runs r
 WHERE {MATCH}
 GROUP BY r.fingerprint
 ORDER BY letters DESC, last_at DESC
 LIMIT :limit
""")

COUNT = text(f"SELECT count(*) FROM callboard.runs r WHERE {MATCH}")

ADD = text("""
INSERT INTO callboard.bulk_actions (id, what, filter, requested_by, total)
VALUES (gen_random_uuid(), :what, :filter, :by, :total)
    ON CONFLICT (what, filter) WHERE state IN ('queued', 'running') DO NOTHING
RETURNING id
""").bindparams(bindparam("filter", type_=JSONB()))

COLUMNS = """b.id, b.what, b.filter, b.requested_by, b.run_id, b.created_at, b.finished_at, b.state, b.total
     , b.done, b.failed, b.last_error, b.abort"""

OPEN = text(f"""
SELECT {COLUMNS}
     , NOT EXISTS (SELECT FROM callboard.runs r WHERE r.run_id = b.run_id
                      AND r.state IN ('pending', 'processing')) AS stranded
  FROM callboard.bulk_actions b
 WHERE b.what = :what AND b.filter = :filter AND b.state IN ('queued', 'running')
   FOR UPDATE OF b
""").bindparams(bindparam("filter", type_=JSONB()))

ACTION = text(f"SELECT {COLUMNS} FROM callboard.bulk_actions b WHERE b.id = :id")

ACTIONS = text(f"""
SELECT {COLUMNS}
  FROM callboard.bulk_actions b
 WHERE cast(:at AS timestamptz) IS NULL OR (b.created_at, b.id) < (:at, :id)
 ORDER BY b.created_at DESC, b.id DESC
 LIMIT :limit
""")

GIVE_RUN = text("UPDATE callboard.bulk_actions SET run_id = :run_id WHERE id = :id")

ABORT = text(f"""
UPDATE callboard.bulk_actions b
   SET abort = true
     , state = CASE b.state WHEN 'queued' THEN 'aborted' ELSE b.state END
     , finished_at = CASE b.state WHEN 'queued' THEN now() ELSE b.finished_at END
 WHERE b.id = :id AND b.state IN ('queued', 'running')
RETURNING {COLUMNS}
""")

NO_FILTER: Mapping[str, Any] = dict.fromkeys(("job", "fingerprint", "text", "since", "until"))


def letters(
    connection: Connection,
    wanted: Mapping[str, Any],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Row]:
    """One row a dead letter, the latest sent first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {**NO_FILTER, **wanted, "limit": limit, "at": at, "id": last}
    return connection.execute(LETTERS, values).mappings().all()


def groups(connection: Connection, wanted: Mapping[str, Any], *, limit: int) -> Sequence[Row]:
    """One row a fingerprint, with how many dead letters it has, the most first."""
    return connection.execute(GROUPS, {**NO_FILTER, **wanted, "limit": limit}).mappings().all()


def count(connection: Connection, wanted: Mapping[str, Any]) -> int:
    """How many dead letters there are."""
    found: int = connection.execute(COUNT, {**NO_FILTER, **wanted}).scalar_one()
    return found


def add_action(
    connection: Connection, what: str, wanted: Mapping[str, Any], *, by: str, total: int
) -> UUID | None:
    """Add an action; None where the same is under way."""
    values = {"what": what, "filter": dict(wanted), "by": by, "total": total}
    return connection.execute(ADD, values).scalar_one_or_none()


def open_action(connection: Connection, what: str, wanted: Mapping[str, Any]) -> Row | None:
    """The action of that kind and filter that is under way, locked; `stranded` where no run works on it."""
    return connection.execute(OPEN, {"what": what, "filter": dict(wanted)}).mappings().one_or_none()


def action(connection: Connection, action_id: UUID) -> Row | None:
    """An action on many dead letters."""
    return connection.execute(ACTION, {"id": action_id}).mappings().one_or_none()


def actions(
    connection: Connection, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> Sequence[Row]:
    """One row an action, the latest first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    return connection.execute(ACTIONS, {"limit": limit, "at": at, "id": last}).mappings().all()


def give_run(connection: Connection, action_id: UUID, run_id: UUID) -> None:
    """Note which run works an action off."""
    connection.execute(GIVE_RUN, {"id": action_id, "run_id": run_id})


def abort(connection: Connection, action_id: UUID) -> Row | None:
    """Have an action end before its next batch; None where it has ended."""
    return connection.execute(ABORT, {"id": action_id}).mappings().one_or_none()
