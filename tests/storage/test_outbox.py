"""The outbox: a row is a message not yet sent; sending deletes it and notes the run, in one go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.outbox import (
    mark_failed,
    mark_sent,
    next_delayed,
    refuse,
    replay_pending,
    take_unsent,
)
from helpers.schedules import execute, fetch

NOW_MS = 1_770_000_000_123
NOW = datetime(2026, 2, 2, 2, 40, 0, 123_000, tzinfo=UTC)


def put(engine, *, trigger="schedule", age="1 hour", not_before=None, options=None, **fields):
    """Put a message into the outbox, and return the id of its run."""
    run_id = uuid4()
    message = {
        "queue_name": "default",
        "actor_name": "job",
        "args": [1],
        "kwargs": {"a": "b"},
        "options": {"trigger": trigger, **(options or {})},
        "message_id": str(run_id),
        "message_timestamp": NOW_MS,
        **fields,
    }
    statement = text(
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message, not_before, created_at)"
        " VALUES (:run_id, 'job', 'default', :message, :not_before, now() - cast(:age AS interval))"
    ).bindparams(bindparam("message", type_=JSONB))
    with engine.begin() as connection:
        values = {"run_id": run_id, "message": message, "not_before": not_before, "age": age}
        connection.execute(statement, values)
    return run_id


def take(engine, limit=100, run_ids=None):
    with engine.begin() as connection:
        return [row.run_id for row in take_unsent(connection, limit, run_ids)]


def test_messages_come_oldest_first_and_no_more_than_asked_for(engine):
    ids = [put(engine) for _ in range(5)]
    assert take(engine, 3) == ids[:3]


def test_a_delayed_message_waits_for_its_time(engine):
    now = datetime.now(UTC)
    late = put(engine, not_before=now - timedelta(seconds=1))
    put(engine, not_before=now + timedelta(hours=1))
    at_once = put(engine)
    assert take(engine) == [at_once, late]
    with engine.begin() as connection:
        assert next_delayed(connection) == now + timedelta(hours=1)


def test_without_delayed_messages_there_is_no_next_one(engine):
    put(engine)
    with engine.begin() as connection:
        assert next_delayed(connection) is None


def test_a_slot_of_this_second_is_left_to_whoever_has_just_claimed_it(engine):
    put(engine, age="0 seconds")
    asked_for = put(engine, age="0 seconds", trigger="manual")
    assert take(engine) == [asked_for]


def test_a_run_asked_for_by_its_id_is_taken_at_once_and_alone(engine):
    put(engine)
    fresh = put(engine, age="0 seconds")
    assert take(engine, run_ids=[fresh]) == [fresh]


def test_what_one_relay_holds_another_passes_by(engine):
    first, second = put(engine), put(engine)
    with engine.begin() as connection:
        assert [row.run_id for row in take_unsent(connection, 1)] == [first]
        assert take(engine) == [second]


def test_marking_as_sent_deletes_the_row_and_notes_the_run(engine):
    execute(
        engine,
        "INSERT INTO callboard.jobs (name, source, max_attempts, time_limit_ms) VALUES ('job', 't', 3, 9)",
    )
    due_ms = NOW_MS - 100
    run_id = put(engine, options={"schedule_id": 7, "due_at": due_ms, "requested_by": "schedule"})
    with engine.begin() as connection:
        assert mark_sent(connection, [run_id]) == 1
    assert take(engine) == []
    assert fetch(
        engine,
        "SELECT run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger, schedule_id"
        ", due_at, args, kwargs, requested_by, time_limit_ms FROM callboard.runs",
    ) == [
        (
            *(
                run_id,
                NOW,
                "job",
                "default",
                "pending",
                10,
                1,
                3,
                "schedule",
                7,
                NOW - timedelta(milliseconds=100),
            ),
            *([1], {"a": "b"}, "schedule", 9),
        )
    ]


def test_marking_as_sent_twice_does_it_once(engine):
    run_id = put(engine)
    for expected in (1, 0):
        with engine.begin() as connection:
            assert mark_sent(connection, [run_id]) == expected
    assert fetch(engine, "SELECT count(*) FROM callboard.runs") == [1]


def test_a_run_that_has_gone_further_meanwhile_is_not_set_back(engine):
    # The worker was faster: its report came in between the sending and the marking.
    run_id = put(engine)
    execute(
        engine,
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger)"
        " VALUES (:id, :at, 'job', 'default', 'succeeded', 19, 1, 'schedule')",
        id=run_id,
        at=NOW,
    )
    with engine.begin() as connection:
        mark_sent(connection, [run_id])
    assert fetch(engine, "SELECT state FROM callboard.runs") == ["succeeded"]


def test_a_failure_is_noted_and_the_row_stays(engine):
    put(engine)
    with engine.begin() as connection:
        (row,) = take_unsent(connection, 10)
        mark_failed(connection, [row.id], "OOM command not allowed")
    assert fetch(engine, "SELECT attempts, last_error FROM callboard.outbox") == [
        (1, "OOM command not allowed")
    ]
    assert len(take(engine)) == 1


@pytest.mark.parametrize("noted", [True, False])
def test_a_row_that_holds_no_message_ends_its_run_as_dead_with_the_reason(engine, noted):
    run_id = put(engine)
    if noted:
        execute(
            engine,
            "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger)"
            " VALUES (:id, now(), 'job', 'default', 'pending', 10, 1, 'sql')",
            id=run_id,
        )
    with engine.begin() as connection:
        refuse(connection, run_id, "it holds no message")
    assert take(engine) == []
    assert fetch(engine, "SELECT run_id, state, reason FROM callboard.runs") == [
        (run_id, "dead", "it holds no message")
    ]


def test_a_replay_puts_back_what_is_pending_as_it_was(engine):
    sent = [
        put(engine, options={"schedule_id": 7, "due_at": NOW_MS, "requested_by": "schedule"}),
        put(engine, trigger="manual", options={"requested_by": "ada"}),
    ]
    with engine.begin() as connection:
        before = {row.run_id: row.message for row in take_unsent(connection, 10)}
        mark_sent(connection, sent)
        assert replay_pending(connection) == 2
        after = {row.run_id: row.message for row in take_unsent(connection, 10, sent)}
    assert after == before


def test_a_replay_leaves_alone_what_is_finished_running_or_never_came_from_here(engine):
    for state, rank, trigger in (
        ("succeeded", 19, "schedule"),
        ("processing", 15, "schedule"),
        ("pending", 10, "code"),
    ):
        execute(
            engine,
            "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger)"
            " VALUES (gen_random_uuid(), now(), 'job', 'default', :state, :rank, 1, :trigger)",
            state=state,
            rank=rank,
            trigger=trigger,
        )
    with engine.begin() as connection:
        assert replay_pending(connection) == 0


def test_a_replayed_retry_keeps_its_count_and_its_time(engine):
    retry_at = datetime.now(UTC) + timedelta(minutes=5)
    execute(
        engine,
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger"
        ", next_retry_at)"
        " VALUES (gen_random_uuid(), now(), 'job', 'default', 'pending', 30, 3, 'schedule', :at)",
        at=retry_at,
    )
    with engine.begin() as connection:
        replay_pending(connection)
    assert fetch(engine, "SELECT not_before, message -> 'options' -> 'retries' FROM callboard.outbox") == [
        (retry_at, 2)
    ]


def test_a_million_delayed_messages_do_not_slow_down_the_others(engine):
    execute(
        engine,
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message, not_before)"
        " SELECT gen_random_uuid(), 'job', 'default', '{}', now() + n * interval '1 minute'"
        " FROM generate_series(1, 20000) n",
    )
    run_id = put(engine)
    execute(engine, "ANALYZE callboard.outbox")
    from callboard.storage import outbox

    with engine.begin() as connection:
        values = {"limit": 500, "run_ids": None, "leave_fresh": True}
        plan = [row[0] for row in connection.execute(text(f"EXPLAIN {outbox._TAKE.text}"), values)]
    assert any("outbox_ready_idx" in line for line in plan), plan
    assert take(engine) == [run_id]
    assert isinstance(run_id, UUID)
