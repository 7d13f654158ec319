"""Runs that SQL asks for and ends: callboard.request_run and callboard.end_run."""

import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from callboard.core.clock import from_ms
from callboard.storage.engine import psycopg_url
from helpers.runs import Database, add_job, add_run, one, run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def test_a_requested_run_is_pending_and_its_message_is_dramatiqs(database: Database) -> None:
    add_job(database, queue="reports", max_attempts=3, time_limit_ms=5000)
    database.execute("LISTEN callboard_outbox")
    query = "SELECT callboard.request_run('a-job', %s, %s, 'alice') AS id"
    run_id = one(database, query, Jsonb([1]), Jsonb({"dry": True}))["id"]
    # Expect a pending run, with the limits of the job
    made = run(database, run_id)
    assert (made["state"], made["rank"], made["trigger"], made["requested_by"]) == (
        "pending",
        10,
        "manual",
        "alice",
    )
    assert (made["queue"], made["max_attempts"], made["time_limit_ms"]) == ("reports", 3, 5000)
    # and one message, whose timestamp is the run's to the millisecond
    waiting = one(database, "SELECT * FROM callboard.outbox")
    message = waiting["message"]
    assert from_ms(message.pop("message_timestamp")) == made["enqueued_at"]
    assert message == {
        "queue_name": "reports",
        "actor_name": "a-job",
        "args": [1],
        "kwargs": {"dry": True},
        "options": {"trigger": "manual", "requested_by": "alice"},
        "message_id": str(run_id),
    }
    assert [notice.channel for notice in database.notifies(timeout=5, stop_after=1)] == ["callboard_outbox"]


def test_a_run_requested_in_a_transaction_that_is_rolled_back_was_never_asked_for(database: Database) -> None:
    add_job(database)
    with database.transaction(force_rollback=True):
        database.execute("SELECT callboard.request_run('a-job')")
    assert one(
        database,
        "SELECT (SELECT count(*) FROM callboard.outbox) + (SELECT count(*) FROM callboard.runs) AS n",
    ) == {"n": 0}


@pytest.mark.parametrize("declared", [None, False])
def test_a_run_of_a_job_that_no_code_declares_is_refused(database: Database, declared: bool | None) -> None:
    if declared is not None:
        add_job(database, declared=declared)
    with pytest.raises(errors.NoDataFound, match='There is no job "a-job"') as caught:
        database.execute("SELECT callboard.request_run('a-job')")
    assert "callboard.jobs" in (caught.value.diag.message_hint or "")


def test_arguments_that_are_no_list_or_no_object_are_refused(database: Database) -> None:
    add_job(database)
    for args, kwargs in (({}, {}), ([], [])):
        with pytest.raises(errors.InvalidParameterValue, match="must be a JSON array"):
            database.execute("SELECT callboard.request_run('a-job', %s, %s)", (Jsonb(args), Jsonb(kwargs)))


def test_a_run_that_never_started_may_be_cancelled_and_counts_for_no_failure(database: Database) -> None:
    add_job(database)
    run_id = one(database, "SELECT callboard.request_run('a-job') AS id")["id"]
    query = "SELECT callboard.end_run(%s, 'cancelled', p_reason => 'not needed', p_by => 'alice') AS ended"
    assert one(database, query, run_id) == {"ended": True}
    assert one(database, query, run_id) == {"ended": False}
    made = run(database, run_id)
    assert (made["state"], made["reason"], made["duration_ms"]) == ("cancelled", "not needed", None)
    assert one(database, "SELECT count(*) AS n FROM callboard.outbox") == {"n": 0}
    assert one(database, "SELECT total_runs FROM get_cron_job_stats('a-job', 1)") == {"total_runs": 0}
    rollup = one(
        database, "SELECT started, cancelled, cancelled_running FROM callboard.rollups WHERE width_s = 60"
    )
    assert list(rollup.values()) == [0, 1, 0]


def test_a_run_ended_by_two_at_once_is_ended_once(database: Database, database_url: str) -> None:
    run_id = add_run(database, "processing")
    answers: list[bool] = []

    def end() -> None:
        with psycopg.connect(psycopg_url(database_url)) as connection:
            row = connection.execute("SELECT callboard.end_run(%s, 'failed')", (run_id,)).fetchone()
            assert row is not None
            answers.append(row[0])

    crowd = [threading.Thread(target=end) for _ in range(5)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(timeout=20)
    assert sorted(answers) == [False] * 4 + [True]
    assert one(database, "SELECT sum(failed) AS n FROM callboard.rollups WHERE width_s = 60") == {"n": 1}
    assert one(database, "SELECT count(*) AS n FROM callboard.signals") == {"n": 1}


def test_a_run_cannot_be_ended_in_a_state_that_is_not_final(database: Database) -> None:
    with pytest.raises(errors.InvalidParameterValue, match='cannot be ended as "pending"'):
        database.execute("SELECT callboard.end_run(%s, 'pending')", (uuid.uuid4(),))
