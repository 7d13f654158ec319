"""What belongs to a queue: its jobs, and its runs by state."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from callboard.storage.queries.jobs import COUNT_LIMIT

JOBS = text("SELECT name FROM callboard.jobs WHERE declared AND queue = :queue ORDER BY name")

STATES = text("""
SELECT state, count(*) AS runs
  FROM ((SELECT state FROM callboard.runs WHERE state = 'processing' AND queue = :queue LIMIT :most)
         UNION ALL
        (SELECT state FROM callboard.runs WHERE state = 'pending' AND queue = :queue LIMIT :most)) live
 GROUP BY state
 UNION ALL
SELECT ended.state, ended.runs
  FROM (SELECT sum(succeeded) AS succeeded, sum(failed) AS failed, sum(cancelled) AS cancelled
             , sum(skipped) AS skipped, sum(dead) AS dead
          FROM callboard.rollups_between(:since)
         WHERE queue = :queue) r
     , LATERAL (VALUES ('succeeded', r.succeeded), ('failed', r.failed), ('cancelled', r.cancelled)
                     , ('skipped', r.skipped), ('dead', r.dead)) ended (state, runs)
""")


def jobs(connection: Connection, queue: str) -> Sequence[str]:
    """The declared jobs of a queue, by name."""
    return connection.execute(JOBS, {"queue": queue}).scalars().all()


def states(connection: Connection, queue: str, *, since: datetime) -> dict[str, int]:
    """How many runs of a queue are in each state: ended ones since then, waiting ones up to 10,000."""
    rows = connection.execute(STATES, {"queue": queue, "since": since, "most": COUNT_LIMIT})
    found = dict.fromkeys(("pending", "processing"), 0)
    return found | {state: int(runs or 0) for state, runs in rows}
