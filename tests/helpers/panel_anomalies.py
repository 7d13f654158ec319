"""Runs and slots out of the ordinary, of each kind, in a filled database."""

from typing import Any

import psycopg

#: The last success of a job but so many, with a duration so many times as long.
ODD = (("process-opportunity-offers", 0, 6.2), ("opportunity-reminders", 1, 3.4), ("health-check", 4, 0.02))
#: A job whose slots nobody has decided for a while, one whose last run did nothing, one sent too often.
MISSED, IDLE, OFTEN = "health-check", "process-promotion-deliveries", "process-referrals"

LAST = """
    SELECT run_id, enqueued_at FROM callboard.runs
     WHERE job = %s AND state = 'succeeded' ORDER BY started_at DESC OFFSET %s LIMIT 1
"""


def add_anomalies(connection: psycopg.Connection[Any]) -> None:
    """Put them in."""
    for job, back, times in ODD:
        connection.execute(
            "UPDATE callboard.runs r SET duration_ms = greatest(1, r.duration_ms * %s::float8)::integer"
            f" FROM ({LAST}) last WHERE r.run_id = last.run_id AND r.enqueued_at = last.enqueued_at",
            (times, job, back),
        )
    connection.execute(
        'UPDATE callboard.runs r SET result = \'{"processed": 0, "failed": 0}\''
        f" FROM ({LAST}) last WHERE r.run_id = last.run_id AND r.enqueued_at = last.enqueued_at",
        (IDLE, 0),
    )
    connection.execute(
        "UPDATE callboard.schedules SET checked_until = now() - interval '23 min' WHERE job_name = %s",
        (MISSED,),
    )
    connection.execute(
        "UPDATE callboard.schedules SET changed_at = now() - interval '9 days' WHERE job_name = %s", (OFTEN,)
    )
    connection.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, ready_at"
        ", started_at, attempt_started_at, finished_at, wait_ms, duration_ms)"
        " SELECT gen_random_uuid(), at, %s, 'default', 'succeeded', 19, 1, at, at, at"
        ", at + interval '39 s', 0, 39000"
        "  FROM (SELECT now() - number * interval '6 min' AS at FROM generate_series(1, 7) AS number) often",
        (OFTEN,),
    )
