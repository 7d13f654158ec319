"""Actions on many dead letters, or on many runs: asked for, and how far they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

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

ACTION = text(f"""
SELECT {COLUMNS}
  FROM callboard.bulk_actions b
 WHERE b.id = :id AND b.what = ANY (cast(:kinds AS text[]))
""")

ACTIONS = text(f"""
SELECT {COLUMNS}
  FROM callboard.bulk_actions b
 WHERE b.what = ANY (cast(:kinds AS text[]))
   AND (cast(:at AS timestamptz) IS NULL OR (b.created_at, b.id) < (:at, :id))
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


def add_action(
    connection: Connection, what: str, wanted: Mapping[str, Any], *, by: str, total: int
) -> UUID | None:
    """Add an action; None where the same is under way."""
    values = {"what": what, "filter": dict(wanted), "by": by, "total": total}
    return connection.execute(ADD, values).scalar_one_or_none()


def open_action(connection: Connection, what: str, wanted: Mapping[str, Any]) -> Row | None:
    """The action of that kind and filter that is under way, locked; `stranded` where no run works on it."""
    return connection.execute(OPEN, {"what": what, "filter": dict(wanted)}).mappings().one_or_none()


def action(connection: Connection, kinds: Sequence[str], action_id: UUID) -> Row | None:
    """An action of one of these kinds."""
    return connection.execute(ACTION, {"id": action_id, "kinds": list(kinds)}).mappings().one_or_none()


def actions(
    connection: Connection,
    kinds: Sequence[str],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Row]:
    """One row an action of these kinds, the latest first; `after` is the last one of the page before."""
    at, last = after or (None, None)
    values = {"kinds": list(kinds), "limit": limit, "at": at, "id": last}
    return connection.execute(ACTIONS, values).mappings().all()


def give_run(connection: Connection, action_id: UUID, run_id: UUID) -> None:
    """Note which run works an action off."""
    connection.execute(GIVE_RUN, {"id": action_id, "run_id": run_id})


def abort(connection: Connection, action_id: UUID) -> Row | None:
    """Have an action end before its next batch; None where it has ended."""
    return connection.execute(ABORT, {"id": action_id}).mappings().one_or_none()
