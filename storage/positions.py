"""Short texts that mark how far something has come: `callboard.stream_position`."""

from sqlalchemy import Connection, text

_READ = text("SELECT last_id FROM callboard.stream_position WHERE stream = :stream")

_LOCK = text("SELECT last_id FROM callboard.stream_position WHERE stream = :stream FOR UPDATE")

_BEGIN = text("""
INSERT INTO callboard.stream_position (stream, last_id) VALUES (:stream, :new)
    ON CONFLICT (stream) DO NOTHING
""")

_EXCHANGE = text("""
UPDATE callboard.stream_position
   SET last_id = :new, updated_at = now()
 WHERE stream = :stream AND last_id = :old
""")


def read_position(connection: Connection, stream: str, *, lock: bool = False) -> str | None:
    """The mark of that name, or None; with `lock`, nobody else changes it until the transaction ends."""
    statement = _LOCK if lock else _READ
    position: str | None = connection.execute(statement, {"stream": stream}).scalar_one_or_none()
    return position


def exchange_position(connection: Connection, stream: str, old: str | None, new: str) -> bool:
    """Set a mark, if it is still what it was. Returns whether it was."""
    statement = _BEGIN if old is None else _EXCHANGE
    values = {"stream": stream, "old": old, "new": new}
    if old is None:
        del values["old"]
    return connection.execute(statement, values).rowcount > 0
