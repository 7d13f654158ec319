"""What is switched in PostgreSQL reaches the fleet through Redis."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from callboard.scheduler.switches import send_signals, sync_switches
from helpers.schedules import execute, fetch
from helpers.waiting import wait_for


@pytest.fixture
def keys(broker):
    return broker.keys


@pytest.fixture
def hear(redis_client, keys):
    """What is said on the signals channel since the test began."""
    listener = redis_client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(keys.signals)
    listener.get_message(timeout=1)
    said = []

    def hear():
        while (message := listener.get_message(timeout=0.2)) is not None:
            said.append(message["data"].decode())
        return said

    yield hear
    listener.close()


def switch(engine, job, enabled, notes=None):
    execute(
        engine,
        "INSERT INTO cron_job_config (job_name, enabled, notes) VALUES (:job, :enabled, :notes)",
        job=job,
        enabled=enabled,
        notes=notes,
    )


def control(redis_client, keys):
    return {field.decode(): json.loads(value) for field, value in redis_client.hgetall(keys.control).items()}


def test_a_job_that_is_switched_off_appears_with_reason_and_leaves_when_it_is_on(
    engine, redis_client, keys, hear
):
    switch(engine, "a", False, "too expensive")
    switch(engine, "b", True)
    assert sync_switches(engine, redis_client, keys) == 1
    found = control(redis_client, keys)
    assert set(found) == {"disabled:a"}
    assert found["disabled:a"]["reason"] == "too expensive"
    assert found["disabled:a"]["at"] > 1_700_000_000_000
    switch(engine, "a", True)
    assert sync_switches(engine, redis_client, keys) == 1
    assert control(redis_client, keys) == {}
    assert hear() == ["control", "control"]


def test_nothing_is_written_or_said_where_nothing_differs(engine, redis_client, keys, hear):
    switch(engine, "a", False)
    sync_switches(engine, redis_client, keys)
    hear().clear()
    assert sync_switches(engine, redis_client, keys) == 0
    assert hear() == []


def test_a_job_that_its_code_switches_off_is_off_until_a_switch_says_otherwise(engine, redis_client, keys):
    execute(engine, "INSERT INTO callboard.jobs (name, source, enabled_default) VALUES ('a', 't', false)")
    sync_switches(engine, redis_client, keys)
    assert set(control(redis_client, keys)) == {"disabled:a"}
    switch(engine, "a", True)
    sync_switches(engine, redis_client, keys)
    assert control(redis_client, keys) == {}


def test_switches_of_other_kinds_are_left_alone(engine, redis_client, keys):
    redis_client.hset(keys.control, "paused:queue", "{}")
    switch(engine, "a", False)
    sync_switches(engine, redis_client, keys)
    assert set(control(redis_client, keys)) == {"disabled:a", "paused:queue"}


def test_a_hash_that_redis_has_lost_is_written_again(engine, redis_client, keys):
    switch(engine, "a", False)
    sync_switches(engine, redis_client, keys)
    redis_client.delete(keys.control)
    assert sync_switches(engine, redis_client, keys) == 1
    assert set(control(redis_client, keys)) == {"disabled:a"}


def test_several_schedulers_at_once_leave_the_latest_state(engine, redis_client, keys):
    switch(engine, "a", True)
    for enabled in (False, True, False, True, False):
        execute(engine, "UPDATE cron_job_config SET enabled = :enabled", enabled=enabled)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: sync_switches(engine, redis_client, keys), range(4)))
        assert set(control(redis_client, keys)) == (set() if enabled else {"disabled:a"})


def signal(engine, payload):
    execute(
        engine,
        "INSERT INTO callboard.signals (kind, payload) VALUES ('end_run', cast(:payload AS jsonb))",
        payload=json.dumps(payload),
    )


def test_an_ended_run_is_told_to_the_fleet(engine, redis_client, keys, hear):
    run_id = str(uuid4())
    signal(engine, {"run_id": run_id, "state": "cancelled", "reason": "wrong day", "by": "ada"})
    assert send_signals(engine, redis_client, keys) == 1
    order = json.loads(redis_client.hget(keys.ended, run_id))
    # Without `at` workers would take the order for an old one and forget it.
    assert order.pop("at") > 1_700_000_000_000
    assert order == {"state": "cancelled", "reason": "wrong day", "by": "ada"}
    assert hear() == [f"end {run_id}"]
    assert fetch(engine, "SELECT count(*) FROM callboard.signals") == [0]
    assert send_signals(engine, redis_client, keys) == 0


def test_a_signal_that_names_no_run_is_dropped_and_the_others_go_out(engine, redis_client, keys, hear):
    run_id = str(uuid4())
    for payload in ({}, {"run_id": "x"}, [], {"run_id": run_id, "state": "failed"}):
        signal(engine, payload)
    assert send_signals(engine, redis_client, keys) == 4
    assert hear() == [f"end {run_id}"]
    assert fetch(engine, "SELECT count(*) FROM callboard.signals") == [0]


def test_signals_stay_while_redis_is_away(engine, keys):
    import redis

    signal(engine, {"run_id": str(uuid4())})
    with (
        redis.Redis(unix_socket_path="/nowhere/at/all.sock") as nowhere,
        pytest.raises(redis.ConnectionError),
    ):
        send_signals(engine, nowhere, keys)
    assert fetch(engine, "SELECT count(*) FROM callboard.signals") == [1]


def test_in_a_running_fleet_switch_and_signal_arrive_within_two_seconds(
    engine, redis_client, keys, start_scheduler, hear
):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    switch(engine, "a", False)
    wait_for(lambda: "disabled:a" in control(redis_client, keys), 2)
    run_id = str(uuid4())
    signal(engine, {"run_id": run_id})
    wait_for(lambda: redis_client.hexists(keys.ended, run_id), 2)
    wait_for(lambda: f"end {run_id}" in hear(), 2)
