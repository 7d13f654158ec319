"""From SQL to a finished run and back into SQL, with a scheduler, a worker and a recorder at work."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.core.settings import Settings
from callboard.scheduler.process import SchedulerProcess
from callboard.storage.engine import psycopg_url
from helpers.fleet import fleet
from helpers.runs import Database, one
from helpers.waiting import wait_for


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with psycopg.connect(
        psycopg_url(settings.database_url), autocommit=True, row_factory=dict_row
    ) as connection:
        yield connection


@pytest.fixture(autouse=True)
def at_work(settings: Settings) -> Iterator[None]:
    with SchedulerProcess(settings), fleet(settings, "helpers.sql_jobs"):
        yield


def finished(database: Database, query: str, *values: object) -> dict[str, object]:
    """The first row of a query, once there is one."""
    wait_for(lambda: database.execute(query, values).fetchone(), what=query)
    return one(database, query, *values)


def test_a_job_enqueued_by_sql_runs_with_its_payload_and_its_attempts(database: Database) -> None:
    sync = one(
        database,
        """SELECT job_queue_enqueue('game_platform_sync', '{"coachId": "a1", "dryRun": true}') AS id""",
    )["id"]
    sweep = one(
        database, "SELECT job_queue_enqueue('game_platform_totals_sweep', p_max_attempts := 2) AS id"
    )["id"]
    done = finished(database, "SELECT * FROM job_queue WHERE id = %s AND completed_at IS NOT NULL", sync)
    assert (done["status"], done["result"]) == ("succeeded", {"dry_run": True, "coach_id": "a1"})
    failed = finished(database, "SELECT * FROM job_queue WHERE id = %s AND completed_at IS NOT NULL", sweep)
    assert (failed["status"], failed["attempts"], failed["max_attempts"]) == ("failed", 2, 2)
    assert failed["last_error"] == "No totals for 100"


def test_a_command_scheduled_by_sql_runs_again_and_again_until_it_is_switched_off(
    database: Database,
) -> None:
    jobid = one(
        database,
        """
        SELECT cron.schedule('my_custom_sync', '1 second', $$
          SELECT public.job_queue_enqueue(
            p_task_type := 'game_platform_sync',
            p_payload := '{"coachId": "specific-uuid"}'::jsonb,
            p_run_at := now(),
            p_max_attempts := 3
          );
        $$) AS id
        """,
    )["id"]
    details = "SELECT * FROM cron.job_run_details WHERE jobid = %s AND status = 'succeeded' ORDER BY runid"
    wait_for(lambda: len(database.execute(details, (jobid,)).fetchall()) >= 2, what="two runs")
    ran = one(database, details, jobid)
    assert ran["return_message"] == "1 row"
    assert ran["job_pid"] > 0
    assert "specific-uuid" in ran["command"]
    queue = "SELECT * FROM job_queue WHERE task_type = 'game-platform-sync' AND status = 'succeeded'"
    row = finished(database, queue)
    assert (row["payload"], row["max_attempts"]) == ({"coach_id": "specific-uuid"}, 3)
    assert row["requested_by"] == ran["username"]
    # Once it is switched off, no slot of it fires
    database.execute("UPDATE cron.job SET active = false WHERE jobname = 'my_custom_sync'")
    became = "SELECT count(*) AS n FROM callboard.occurrences WHERE schedule_id = %s AND disposition = %s"

    def slots(disposition: str) -> int:
        return one(database, became, jobid, disposition)["n"]

    wait_for(lambda: slots("skipped_disabled") >= 2, what="slots that were skipped")
    before, skipped = slots("fired"), slots("skipped_disabled")
    wait_for(lambda: slots("skipped_disabled") > skipped, what="another")
    assert slots("fired") == before


def test_a_command_that_fails_says_why_in_its_details(database: Database) -> None:
    database.execute("SELECT cron.schedule('peep', '1 second', 'SELECT * FROM callboard.users')")
    row = finished(database, "SELECT * FROM cron.job_run_details WHERE status = 'failed'")
    assert str(row["return_message"]).startswith("ERROR:  permission denied for schema callboard")
