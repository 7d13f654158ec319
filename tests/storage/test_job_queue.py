"""`job_queue_enqueue` and the view `job_queue`: work that SQL asks for, in its own transaction."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from callboard.core.clock import from_ms
from callboard.storage.engine import psycopg_url
from callboard.storage.outbox import mark_sent, replay_pending
from helpers.runs import HOUR, NOW, Database, add_job, add_run, one, run

ENQUEUE = "SELECT job_queue_enqueue(%s, %s) AS id"


def parameter(name: str, kind: str | None = None, **facts: Any) -> dict[str, Any]:
    """A parameter as the code declares it."""
    shape = {"name": name, "kind": "positional_or_keyword", "type": kind, "default": None, "required": False}
    return shape | facts


SYNC = [
    parameter("dry_run", "bool"),
    parameter("coach_id", "str | None"),
    parameter("batchSize", "int"),
    parameter("anything", "MyOwn[int]"),
]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        add_job(connection, "game-platform-sync", queue="sync", max_attempts=4, signature=Jsonb(SYNC))
        yield connection


def enqueue(database: Database, payload: object, job: str = "game_platform_sync") -> uuid.UUID:
    run_id: uuid.UUID = one(database, ENQUEUE, job, Jsonb(payload))["id"]
    return run_id


def refused(database: Database, kind: type[Exception], *values: Any) -> tuple[str, str]:
    """The sentence and the hint of a refusal."""
    places = ", ".join(["%s"] * len(values))
    with pytest.raises(kind) as caught:
        database.execute(f"SELECT job_queue_enqueue({places})", values)
    assert isinstance(caught.value, psycopg.Error)
    return caught.value.diag.message_primary or "", caught.value.diag.message_hint or ""


def test_an_enqueued_job_is_pending_and_its_message_carries_the_payload_as_arguments(
    database: Database,
) -> None:
    database.execute("LISTEN callboard_outbox")
    run_id = enqueue(database, {"coachId": "a1b2", "dry_run": True, "batchSize": 5, "anything": [1]})
    named = {"coach_id": "a1b2", "dry_run": True, "batchSize": 5, "anything": [1]}
    # Expect a run of trigger sql, to run at once, asked for by the session
    made = run(database, run_id)
    assert (made["job"], made["queue"], made["state"], made["trigger"], made["max_attempts"]) == (
        "game-platform-sync", "sync", "pending", "sql", 4,
    )  # fmt: skip
    assert made["kwargs"] == named
    assert made["requested_by"] == one(database, "SELECT session_user AS name")["name"]
    # and one message of the same age, not delayed, for which the relay was called
    waiting = one(database, "SELECT message, not_before FROM callboard.outbox")
    assert waiting["not_before"] is None
    message = waiting["message"]
    assert from_ms(message["message_timestamp"]) == made["enqueued_at"]
    assert (message["actor_name"], message["args"], message["kwargs"]) == ("game-platform-sync", [], named)
    assert set(message["options"]) == {"trigger", "requested_by"}
    assert [notice.channel for notice in database.notifies(timeout=5, stop_after=1)] == ["callboard_outbox"]


def test_a_job_enqueued_in_a_transaction_that_is_rolled_back_was_never_asked_for(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    with database.transaction(force_rollback=True):
        database.execute("INSERT INTO orders VALUES (1)")
        enqueue(database, {})
        assert one(database, "SELECT count(*) AS n FROM job_queue") == {"n": 1}
    counts = "SELECT (SELECT count(*) FROM callboard.outbox) + (SELECT count(*) FROM callboard.runs) AS n"
    assert one(database, counts) == {"n": 0}


def test_a_job_enqueued_before_the_commit_is_seen_by_nobody_else_until_then(
    database: Database, database_url: str
) -> None:
    with psycopg.connect(psycopg_url(database_url)) as other:
        other.execute("SELECT job_queue_enqueue('game_platform_sync')")
        assert one(database, "SELECT count(*) AS n FROM callboard.outbox") == {"n": 0}
        other.commit()
    assert one(database, "SELECT count(*) AS n FROM callboard.outbox") == {"n": 1}


@pytest.mark.parametrize("moment", ["now()", "NULL", "clock_timestamp() - interval '1 day'", "'-infinity'"])
def test_what_is_due_already_is_not_delayed(database: Database, moment: str) -> None:
    query = f"SELECT job_queue_enqueue('game_platform_sync', p_run_at := {moment})"
    database.execute(query)
    waiting = one(database, "SELECT not_before, message -> 'options' AS options FROM callboard.outbox")
    assert waiting["not_before"] is None
    assert "ready_at" not in waiting["options"]


def test_a_later_moment_delays_the_message_and_attempts_become_retries(database: Database) -> None:
    later = NOW + HOUR
    query = "SELECT job_queue_enqueue('game-platform-sync', p_run_at := %s, p_max_attempts := 3) AS id"
    run_id = one(database, query, later)["id"]
    waiting = one(database, "SELECT not_before, message -> 'options' AS options FROM callboard.outbox")
    assert waiting["not_before"] == later
    assert from_ms(waiting["options"]["ready_at"]) == later
    assert waiting["options"]["max_retries"] == 2
    made = run(database, run_id)
    assert (made["ready_at"], made["max_attempts"]) == (later, 3)
    assert made["enqueued_at"] < later - timedelta(minutes=1)
    # And the view says so
    row = one(database, "SELECT * FROM job_queue WHERE id = %s", run_id)
    assert (row["status"], row["attempts"], row["max_attempts"], row["run_at"]) == ("pending", 0, 3, later)


def test_one_attempt_is_no_retry_at_all(database: Database) -> None:
    database.execute("SELECT job_queue_enqueue('game_platform_sync', p_max_attempts := 1)")
    assert one(database, "SELECT message #> '{options,max_retries}' AS n FROM callboard.outbox") == {"n": 0}


def test_a_replay_keeps_the_number_of_attempts_that_was_asked_for(database: Database, engine: Any) -> None:
    query = "SELECT job_queue_enqueue('game_platform_sync', p_max_attempts := 2) AS id"
    run_id = one(database, query)["id"]
    with engine.begin() as connection:
        mark_sent(connection, [run_id])
        assert replay_pending(connection) == 1
    assert one(database, "SELECT message #> '{options,max_retries}' AS n FROM callboard.outbox") == {"n": 1}


@pytest.mark.parametrize("attempts", [0, -1])
def test_fewer_than_one_attempt_is_refused(database: Database, attempts: int) -> None:
    said, hint = refused(
        database, errors.InvalidParameterValue, "game_platform_sync", Jsonb({}), NOW, attempts
    )
    assert said == f'The job "game-platform-sync" cannot have {attempts} attempts.'
    assert "1 or more" in hint


@pytest.mark.parametrize("moment", ["infinity", "20000-01-01"])
def test_a_moment_that_no_clock_will_show_is_refused(database: Database, moment: str) -> None:
    query = "SELECT job_queue_enqueue('game_platform_sync', p_run_at := %s::timestamptz)"
    with pytest.raises(errors.DatetimeFieldOverflow, match="cannot run at"):
        database.execute(query, (moment,))


def test_an_unknown_job_is_refused_with_a_hint_at_those_that_there_are(database: Database) -> None:
    add_job(database, "gone", declared=False)
    for name in ("nothing", "gone"):
        said, hint = refused(database, errors.NoDataFound, name)
        assert said == f'There is no job "{name}".'
        assert "cron_job_config" in hint


def test_a_name_is_taken_as_it_is_before_it_is_taken_in_another_spelling(database: Database) -> None:
    add_job(database, "game_platform_sync", signature=Jsonb(SYNC))
    assert run(database, enqueue(database, {}, "game_platform_sync"))["job"] == "game_platform_sync"
    assert run(database, enqueue(database, {}, "game-platform-sync"))["job"] == "game-platform-sync"
    said, hint = refused(database, errors.AmbiguousParameter, "game-platform_sync")
    assert 'may mean the job "game' in said
    assert hint


@pytest.mark.parametrize("payload", [[], "text", 7, None])
def test_a_payload_that_is_no_object_is_refused(database: Database, payload: object) -> None:
    said, hint = refused(database, errors.InvalidParameterValue, "game_platform_sync", Jsonb(payload))
    assert "must be a JSON object" in said
    assert "keys become" in hint


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ({"teamId": 1}, 'takes no argument "teamId"'),
        ({"coachId": "a", "coach_id": "b"}, 'argument "coach_id" of job "game-platform-sync" is given twice'),
        ({"dryRun": "yes"}, 'argument "dry_run" of job "game-platform-sync" must be bool, not "yes"'),
        ({"batchSize": 1.5}, 'argument "batchSize" of job "game-platform-sync" must be int, not 1.5'),
        ({"coachId": 7}, "must be str | None, not 7"),
    ],
)
def test_arguments_that_the_job_does_not_take_are_refused(
    database: Database, payload: dict[str, Any], what: str
) -> None:
    said, hint = refused(database, errors.InvalidParameterValue, "game_platform_sync", Jsonb(payload))
    assert what in said
    assert "It takes: " in hint or "one spelling" in hint
    assert one(database, "SELECT count(*) AS n FROM callboard.runs") == {"n": 0}


def test_null_is_an_argument_where_the_job_takes_none(database: Database) -> None:
    assert run(database, enqueue(database, {"coachId": None}))["kwargs"] == {"coach_id": None}


def test_an_argument_that_the_job_needs_must_be_there(database: Database) -> None:
    add_job(database, "mail", signature=Jsonb([parameter("recipient_id", "int", required=True)]))
    said, _ = refused(database, errors.InvalidParameterValue, "mail")
    assert said == 'The job "mail" needs the argument "recipient_id".'
    assert run(database, enqueue(database, {"recipientId": 3}, "mail"))["kwargs"] == {"recipient_id": 3}


def test_a_job_that_takes_whatever_comes_is_given_it_as_it_is(database: Database) -> None:
    add_job(database, "open", signature=Jsonb([parameter("rest") | {"kind": "var_keyword"}]))
    assert run(database, enqueue(database, {"someKey": 1}, "open"))["kwargs"] == {"someKey": 1}


def test_a_payload_that_is_too_large_is_refused(database: Database) -> None:
    said, hint = refused(
        database, errors.ProgramLimitExceeded, "game_platform_sync", Jsonb({"coachId": "x" * 70_000})
    )
    assert "at most 65536 are kept" in said
    assert "table" in hint


def test_only_those_may_enqueue_who_were_allowed_to_and_need_no_other_right(database: Database) -> None:
    role = f"app_{uuid.uuid4().hex[:8]}"
    database.execute(f"CREATE ROLE {role}")
    try:
        database.execute(f"SET ROLE {role}")
        with pytest.raises(errors.InsufficientPrivilege, match="job_queue_enqueue"):
            database.execute("SELECT job_queue_enqueue('game_platform_sync')")
        database.execute("RESET ROLE")
        database.execute(
            f"GRANT EXECUTE ON FUNCTION job_queue_enqueue(text, jsonb, timestamptz, integer) TO {role}"
        )
        database.execute(f"SET ROLE {role}")
        database.execute("SELECT job_queue_enqueue('game_platform_sync')")
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("SELECT * FROM callboard.runs")
    finally:
        database.execute("RESET ROLE")
        database.execute(f"DROP OWNED BY {role}")
        database.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("pending", "pending"),
        ("processing", "processing"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("dead", "failed"),
        ("cancelled", "cancelled"),
        ("skipped", "skipped"),
    ],
)
def test_every_state_of_a_run_has_its_word_in_the_queue(database: Database, state: str, status: str) -> None:
    run_id = add_run(database, state, attempt=2, max_attempts=3, error="it broke", kwargs=Jsonb({"a": 1}))
    row = one(database, "SELECT * FROM job_queue")
    assert (row["id"], row["status"]) == (run_id, status)
    assert (row["task_type"], row["payload"], row["last_error"]) == ("a-job", {"a": 1}, "it broke")
    assert (row["attempts"], row["max_attempts"]) == (1 if state == "pending" else 2, 3)
    assert one(database, "SELECT count(*) AS n FROM job_queue WHERE status = %s", status) == {"n": 1}


def test_the_cleanup_of_the_manual_deletes_old_successes_and_all_that_belongs_to_them(
    database: Database,
) -> None:
    old, new = NOW - timedelta(days=8), NOW - timedelta(days=6)
    gone = add_run(database, "succeeded", started_at=old, finished_at=old)
    kept = {
        add_run(database, "succeeded", started_at=new, finished_at=new),
        add_run(database, "failed", started_at=old, finished_at=old),
        add_run(database, "processing", started_at=old),
    }
    for run_id in (gone, *kept):
        database.execute(
            "INSERT INTO callboard.log_lines SELECT run_id, enqueued_at, 1, 1, now(), 'info', 'line'"
            " FROM callboard.runs WHERE run_id = %s",
            (run_id,),
        )
        database.execute(
            "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state)"
            " SELECT run_id, enqueued_at, 1, execution_id, state FROM callboard.runs WHERE run_id = %s",
            (run_id,),
        )
    statement = (
        "DELETE FROM job_queue WHERE status = 'succeeded' AND completed_at < now() - interval '7 days';"
    )
    assert database.execute(statement).rowcount == 1
    for table in ("runs", "log_lines", "attempts"):
        rows = database.execute(f"SELECT run_id FROM callboard.{table}").fetchall()
        assert {row["run_id"] for row in rows} == kept


@pytest.mark.parametrize("state", ["pending", "processing"])
def test_what_has_not_finished_cannot_be_deleted(database: Database, state: str) -> None:
    add_run(database, state)
    with pytest.raises(errors.ObjectInUse, match="has not finished, so it cannot be deleted") as caught:
        database.execute("DELETE FROM job_queue")
    assert "status NOT IN" in (caught.value.diag.message_hint or "")
    assert one(database, "SELECT count(*) AS n FROM job_queue") == {"n": 1}
