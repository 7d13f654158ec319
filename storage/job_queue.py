"""What the job queue keeps of work that is done."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, Connection, Text, bindparam, text

#: The queue's own: asked for by `job_queue_enqueue`, or of a job that it was made for.
_OLD = """
  FROM callboard.runs
 WHERE state = 'succeeded'
   AND finished_at < now() - :days * interval '24 hours'
   AND (trigger = 'sql' OR job = ANY(:jobs))
"""
COUNT = text(f"SELECT count(*) {_OLD}").bindparams(bindparam("jobs", type_=ARRAY(Text)))
#: Through the view, whose trigger takes attempts and log lines along.
DELETE = text(f"""
  WITH old AS MATERIALIZED (SELECT run_id, enqueued_at {_OLD} LIMIT :limit)
DELETE FROM public.job_queue q
 USING old
 WHERE q.id = old.run_id AND q.created_at = old.enqueued_at
""").bindparams(bindparam("jobs", type_=ARRAY(Text)))


def count_succeeded(connection: Connection, days: int, jobs: Sequence[str]) -> int:
    """How many runs of the queue succeeded more than so many days ago."""
    count: int = connection.execute(COUNT, {"days": days, "jobs": list(jobs)}).scalar_one()
    return count


def delete_succeeded(connection: Connection, days: int, jobs: Sequence[str], limit: int) -> int:
    """Delete up to `limit` of them, with attempts and log lines. Returns how many."""
    values = {"days": days, "jobs": list(jobs), "limit": limit}
    return connection.execute(DELETE, values).rowcount
