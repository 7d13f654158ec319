"""The limits that jobs declare."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

DECLARED = text("""
SELECT name, options -> 'limit' AS limits
  FROM callboard.jobs
 WHERE declared AND options -> 'limit' IS NOT NULL
 ORDER BY name
""")


def declared(connection: Connection) -> Sequence[Row]:
    """One row a job with limits: `limits` is one {key, concurrent, per_minute}, or a list of them."""
    return connection.execute(DECLARED).mappings().all()
