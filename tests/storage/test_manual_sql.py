"""The SQL that the manual of the job queue prints runs as it stands there, letter for letter."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from callboard.storage.engine import psycopg_url
from helpers.runs import Database, add_job, one

SWITCH = """\
UPDATE cron.job SET active = false WHERE jobname = 'game_platform_sync_incremental';
"""
ALTER = """\
SELECT cron.alter_job(
  job_id := (SELECT jobid FROM cron.job WHERE jobname = 'game_platform_sync_incremental'),
  schedule := '5 * * * *'
);
"""
ENQUEUE = """\
SELECT public.job_queue_enqueue(
  p_task_type := 'game_platform_sync',
  p_payload := '{}'::jsonb
);
"""
ALTER_YOURS = """\
SELECT cron.alter_job(
  job_id := (SELECT jobid FROM cron.job WHERE jobname = 'your_job_name'),
  schedule := '*/15 * * * *'  -- Your new schedule
);
"""
CLEAN = """\
DELETE FROM job_queue WHERE status = 'succeeded' AND completed_at < now() - interval '7 days';
"""
SCHEDULE = """\
SELECT cron.schedule(
  job_name => 'my_custom_sync',
  schedule => '0 */4 * * *',  -- Every 4 hours
  command => $$
    SELECT public.job_queue_enqueue(
      p_task_type := 'game_platform_sync',
      p_payload := '{"coachId": "specific-uuid"}'::jsonb,
      p_run_at := now(),
      p_max_attempts := 3
    );
  $$
);
"""
STATEMENTS = (SWITCH, ALTER, ENQUEUE, ALTER_YOURS, CLEAN, SCHEDULE)

#: The set-up that the manual describes: names and schedules.
SET_UP = {
    "game_platform_sync_incremental": "*/30 * * * *",
    "game_platform_totals_sweep_hourly": "0 * * * *",
    "job_queue_cleanup_daily": "15 3 * * *",
    "your_job_name": "0 3 * * *",
}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        coach = {"name": "coach_id", "kind": "positional_or_keyword", "type": "str | None", "required": False}
        add_job(connection, "game-platform-sync", signature=Jsonb([coach]))
        for name, expr in SET_UP.items():
            connection.execute("SELECT cron.schedule(%s, %s, %s)", (name, expr, ENQUEUE))
        yield connection


def expr(database: Database, name: str) -> object:
    return one(database, "SELECT schedule FROM cron.job WHERE jobname = %s", name)["schedule"]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_the_manual_runs_as_it_stands(database: Database, statement: str) -> None:
    # With psycopg as with psql: a percent sign or a colon in it is nothing special
    database.execute(statement.encode())


def test_they_do_what_the_manual_says(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement.encode())
    active = database.execute("SELECT jobname FROM cron.job WHERE NOT active").fetchall()
    assert active == [{"jobname": "game_platform_sync_incremental"}]
    assert expr(database, "game_platform_sync_incremental") == "5 * * * *"
    assert expr(database, "your_job_name") == "*/15 * * * *"
    assert expr(database, "my_custom_sync") == "0 */4 * * *"
    assert one(database, "SELECT task_type, payload, status FROM job_queue") == {
        "task_type": "game-platform-sync",
        "payload": {},
        "status": "pending",
    }
