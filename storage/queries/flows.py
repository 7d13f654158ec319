"""Runs that belong together."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

STATES = text("""
SELECT run_id, job, state, reason, left(error, 300) AS error
  FROM callboard.runs
 WHERE run_id = ANY(cast(:run_ids AS uuid[]))
""")
OF_GROUP = text("""
SELECT run_id, job, state, reason, left(error, 300) AS error, flow
  FROM callboard.runs
 WHERE flow -> 'group' IS NOT NULL AND flow -> 'group' ->> 'id' = :group
 ORDER BY enqueued_at, run_id
 LIMIT :limit
""")


def states(connection: Connection, run_ids: Sequence[UUID]) -> Sequence[Row]:
    """One row a run of these that is known."""
    return connection.execute(STATES, {"run_ids": list(run_ids)}).mappings().all()


def of_group(connection: Connection, group: str, *, limit: int) -> Sequence[Row]:
    """One row a known run of a group, what follows it included."""
    return connection.execute(OF_GROUP, {"group": group, "limit": limit}).mappings().all()
