"""How far a synchronisation has come."""

from sqlalchemy import Connection, text

READ = text("SELECT cursor FROM business.sync_cursors WHERE name = :name")
MOVE = text("""
INSERT INTO business.sync_cursors (name, cursor)
VALUES (:name, :cursor)
    ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, updated_at = now()
""")


def read_cursor(connection: Connection, name: str) -> str | None:
    """Where a synchronisation goes on; None where it has never come anywhere."""
    cursor: str | None = connection.scalar(READ, {"name": name})
    return cursor


def move_cursor(connection: Connection, name: str, cursor: str) -> None:
    """Move it on, in the transaction that stores what it has passed."""
    connection.execute(MOVE, {"name": name, "cursor": cursor})
