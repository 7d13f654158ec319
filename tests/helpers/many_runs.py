"""Many runs of one kind, made by the server itself."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, text

from callboard.core.states import rank

ADD = text("""
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, started_at
     , finished_at, next_retry_at, error_type, error, args, kwargs)
SELECT i.id, at, :job, :queue, :state, :rank, 1, 3
     , CASE WHEN :state NOT IN ('pending', 'skipped') THEN at END
     , CASE WHEN :state NOT IN ('pending', 'processing') THEN at END
     , CASE WHEN :waiting THEN now() + interval '1 hour' END
     , CASE WHEN :state IN ('failed', 'dead') THEN 'ValueError' END
     , CASE WHEN :state IN ('failed', 'dead') THEN :error END
     , jsonb_build_array(n - 1), '{}'
  FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS i (id, n)
 CROSS JOIN LATERAL (
       SELECT date_trunc('milliseconds', now()) - :age * interval '1 s' - n * interval '1 millisecond' AS at
       ) AS moment
""")


def add_runs(
    engine: Engine,
    count: int,
    state: str = "failed",
    *,
    job: str = "greet",
    queue: str = "default",
    error: str = "no luck",
    age: float = 60,
    waiting: bool = False,
) -> list[UUID]:
    """Add so many runs of a job, sent so long (s) ago, the latest first; their argument is their number.

    Those that are `waiting` have a next attempt, in an hour.
    """
    ids = [uuid4() for _ in range(count)]
    values: dict[str, Any] = {
        "ids": ids, "job": job, "queue": queue, "state": state, "rank": rank(state, 1), "error": error,
        "age": age, "waiting": waiting,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(ADD, values)
    return ids


def states(engine: Engine, job: str = "greet") -> dict[str, int]:
    """How many runs of a job are in each state."""
    with engine.connect() as connection:
        query = text("SELECT state, count(*) FROM callboard.runs WHERE job = :job GROUP BY state")
        return {row[0]: row[1] for row in connection.execute(query, {"job": job})}


def repeated(engine: Engine) -> dict[UUID, int]:
    """How often each run is to be done again, as the outbox says."""
    query = text("""
        SELECT (message -> 'options' ->> 'retry_of')::uuid AS old, count(*)
          FROM callboard.outbox WHERE job_name = 'greet' GROUP BY 1
    """)
    with engine.connect() as connection:
        return {row.old: row.count for row in connection.execute(query)}
