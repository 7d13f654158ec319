"""What is paused."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

PAUSES = text("""
SELECT scope, name, reason, paused_by, paused_at
  FROM callboard.pauses
 ORDER BY scope, name
""")
PAUSE = text("""
SELECT scope, name, reason, paused_by, paused_at
  FROM callboard.pauses
 WHERE scope = :scope AND name = :name
   FOR UPDATE
""")
SET_PAUSE = text("""
INSERT INTO callboard.pauses AS p (scope, name, reason, paused_by)
VALUES (:scope, :name, :reason, :by)
    ON CONFLICT (scope, name) DO UPDATE
   SET reason = excluded.reason, paused_by = excluded.paused_by
RETURNING scope, name, reason, paused_by, paused_at
""")
END_PAUSE = text("DELETE FROM callboard.pauses WHERE scope = :scope AND name = :name")
END_RUNNING = text("""
SELECT count(*)
  FROM callboard.end_runs(array(
        SELECT run_id
          FROM callboard.runs
         WHERE state = 'processing'
           AND (:scope = 'all' OR (:scope = 'queue' AND queue = :name) OR (:scope = 'job' AND job = :name))
       ), 'cancelled', :reason, :by)
""")


def pauses(connection: Connection) -> Sequence[Row]:
    """One row a pause."""
    return connection.execute(PAUSES).mappings().all()


def pause(connection: Connection, scope: str, name: str) -> Row | None:
    """The pause of a scope, locked, or None."""
    return connection.execute(PAUSE, {"scope": scope, "name": name}).mappings().one_or_none()


def set_pause(connection: Connection, scope: str, name: str, *, reason: str, by: str) -> Row:
    """Pause something, or say anew why it is paused."""
    values = {"scope": scope, "name": name, "reason": reason, "by": by}
    return connection.execute(SET_PAUSE, values).mappings().one()


def end_pause(connection: Connection, scope: str, name: str) -> None:
    """Pause something no longer."""
    connection.execute(END_PAUSE, {"scope": scope, "name": name})


def end_running(connection: Connection, scope: str, name: str, *, reason: str, by: str) -> int:
    """Cancel what is being executed of a scope; returns how many runs that were."""
    values = {"scope": scope, "name": name, "reason": reason, "by": by}
    count: int = connection.execute(END_RUNNING, values).scalar_one()
    return count
