"""What an UPDATE of `cron_job_logs` does to a run."""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from callboard.core.states import RunState, rank
from callboard.storage.engine import psycopg_url
from helpers.runs import HOUR, NOW, Database, add_run, run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def end(database: Database, run_id: uuid.UUID, status: str = "failed") -> int:
    return database.execute(
        "UPDATE cron_job_logs SET status = %s, error_message = 'stuck' WHERE id = %s", (status, run_id)
    ).rowcount


def test_setting_failed_ends_the_run_counts_it_and_tells_the_fleet(database: Database) -> None:
    # Given a run that a worker executes
    run_id = add_run(database, "processing", started_at=NOW - HOUR, worker="w1", wait_ms=7)
    database.execute("LISTEN callboard_outbox")
    # When its row in the log is set to failed
    assert end(database, run_id) == 1
    # Expect the run to be final, and nothing that a worker may still report to change it
    ended = run(database, run_id)
    assert (ended["state"], ended["error"], ended["reason"]) == ("failed", "stuck", "ended by SQL")
    assert ended["rank"] > rank(RunState.SUCCEEDED, 1000)
    assert 3_600_000 <= ended["duration_ms"] < 7_200_000
    # and its attempt to be on record
    attempts = database.execute("SELECT * FROM callboard.attempts WHERE run_id = %s", (run_id,)).fetchall()
    assert [(row["execution_id"], row["state"], row["error"]) for row in attempts] == [
        (ended["execution_id"], "failed", "stuck")
    ]
    # and each width of rollups to count one start and one failure
    rollups = database.execute(
        "SELECT width_s, sum(started) AS a, sum(failed) AS b FROM callboard.rollups GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rollups.fetchall()] == [(60, 1, 1), (3600, 1, 1), (86400, 1, 1)]
    # and the fleet to be told
    signal = database.execute("SELECT kind, payload FROM callboard.signals").fetchone()
    assert signal is not None
    assert signal["kind"] == "end_run"
    assert signal["payload"]["run_id"] == str(run_id)
    assert signal["payload"]["state"] == "failed"
    assert [notice.channel for notice in database.notifies(timeout=5, stop_after=1)] == ["callboard_outbox"]


def test_ending_a_run_that_waits_for_its_retry_leaves_no_message_to_send(database: Database) -> None:
    run_id = add_run(database, "pending", attempt=2, next_retry_at=NOW + HOUR, duration_ms=50)
    database.execute(
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message)"
        " VALUES (%s, 'a-job', 'default', '{}')",
        (run_id,),
    )
    assert end(database, run_id) == 1
    ended = run(database, run_id)
    assert (ended["state"], ended["next_retry_at"], ended["duration_ms"]) == ("failed", None, 50)
    assert database.execute("SELECT count(*) FROM callboard.outbox").fetchone() == {"count": 0}
    # The recorder counted the start with the first attempt's end.
    assert database.execute("SELECT sum(started) AS n FROM callboard.rollups").fetchone() == {"n": 0}


def test_a_run_may_be_set_to_completed_too(database: Database) -> None:
    run_id = add_run(database, "processing")
    database.execute(
        "UPDATE cron_job_logs SET status = 'completed', duration_ms = 42, completed_at = %s WHERE id = %s",
        (NOW, run_id),
    )
    ended = run(database, run_id)
    assert (ended["state"], ended["duration_ms"], ended["finished_at"]) == ("succeeded", 42, NOW)


def test_a_run_that_finishes_while_the_update_waits_is_left_alone(
    database: Database, database_url: str
) -> None:
    run_id = add_run(database, "processing")
    with (
        psycopg.connect(psycopg_url(database_url)) as recorder,
        psycopg.connect(psycopg_url(database_url)) as user,
    ):
        # Given a recorder that is about to commit a success
        recorder.execute(
            "UPDATE callboard.runs SET state = 'succeeded', rank = 19 WHERE run_id = %s", (run_id,)
        )
        # When a user ends the run in that moment
        pid = user.execute("SELECT pg_backend_pid()").fetchone()
        counts: list[int] = []
        statement = "UPDATE cron_job_logs SET status = 'failed' WHERE status = 'started'"
        waiting = threading.Thread(target=lambda: counts.append(user.execute(statement).rowcount))
        waiting.start()
        wait_until_blocked(database, pid)
        recorder.commit()
        waiting.join(timeout=10)
        user.commit()
    # Expect the success to stand, and nothing to be counted or signalled
    assert counts == [0]
    assert run(database, run_id)["state"] == "succeeded"
    assert database.execute("SELECT count(*) FROM callboard.signals").fetchone() == {"count": 0}


def wait_until_blocked(database: Database, pid: Any) -> None:
    for _ in range(500):
        row = database.execute("SELECT cardinality(pg_blocking_pids(%s)) AS blockers", pid).fetchone()
        if row and row["blockers"]:
            return
        time.sleep(0.01)
    pytest.fail("The update never waited.")


def test_a_finished_execution_keeps_its_status_but_its_message_may_be_edited(database: Database) -> None:
    run_id = add_run(database, "failed")
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="has failed already"):
        database.execute("UPDATE cron_job_logs SET status = 'completed' WHERE id = %s", (run_id,))
    database.execute(
        "UPDATE cron_job_logs SET error_message = 'known, see the wiki' WHERE id = %s", (run_id,)
    )
    assert run(database, run_id)["error"] == "known, see the wiki"


def test_an_update_to_what_is_no_status_or_of_a_fixed_column_is_refused(database: Database) -> None:
    add_run(database, "processing")
    with pytest.raises(errors.CheckViolation, match='the status "done"'):
        database.execute("UPDATE cron_job_logs SET status = 'done'")
    with pytest.raises(errors.FeatureNotSupported, match="are fixed"):
        database.execute("UPDATE cron_job_logs SET job_name = 'another'")
    for column, value in (("attempts", "7"), ("duration_ms", "7"), ("completed_at", "now()")):
        with pytest.raises(errors.FeatureNotSupported, match="change only with its status"):
            database.execute(f"UPDATE cron_job_logs SET {column} = {value}")


def test_what_is_ended_by_sql_from_outside_is_audited_and_what_callboard_does_is_not(
    database: Database,
) -> None:
    first, second = add_run(database, "processing"), add_run(database, "processing")
    end(database, first)
    database.execute("SET application_name = 'callboard panel'")
    end(database, second)
    rows = database.execute("SELECT origin, action, target FROM callboard.audit").fetchall()
    assert rows == [{"origin": "sql", "action": "end_run", "target": str(first)}]
