"""Whole schedulers, in real time: one, several, killed, stopped, restarted."""

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta

from callboard.scheduler.presence import list_schedulers
from callboard.storage.notices import Notices, NoticesLostError
from helpers.checker import check_slots, whole_second
from helpers.queues import queued
from helpers.schedules import add_schedule, dispositions, execute, fetch, occurrences
from helpers.waiting import wait_for

SECONDLY = "* * * * * *"


def run_for(seconds):
    """Let real time pass, until shortly after a whole second. Returns the last slot that must be there."""
    time.sleep(seconds)
    end = whole_second(datetime.now(UTC))
    time.sleep(1.3)
    return end


def add_secondly(engine, count):
    since = whole_second(datetime.now(UTC))
    return since, [add_schedule(engine, f"job-{n}", SECONDLY, checked_until=since) for n in range(count)]


def test_one_scheduler_fires_each_second_on_time(engine, broker, start_scheduler):
    since, (schedule_id,) = add_secondly(engine, 1)
    start_scheduler()
    end = run_for(4)
    check_slots(engine, broker, schedule_id, SECONDLY, since, end)
    assert set(dispositions(engine, schedule_id)) == {"fired"}


def test_three_schedulers_at_once_miss_nothing_and_double_nothing(engine, broker, start_scheduler):
    since, ids = add_secondly(engine, 20)
    for _ in range(3):
        start_scheduler()
    end = run_for(4)
    for schedule_id in ids:
        check_slots(engine, broker, schedule_id, SECONDLY, since, end)


def test_three_processes_of_which_one_is_killed_and_one_stopped_at_the_tick(engine, broker, spawn_scheduler):
    since, ids = add_secondly(engine, 20)
    first, second, _third = spawn_scheduler(), spawn_scheduler(), spawn_scheduler()
    wait_for(lambda: len(occurrences(engine, ids[0])) >= 2, what="the first slots")
    # Just before a second is full, when the claims of its slots are being made.
    time.sleep((0.97 - time.time()) % 1)
    first.kill()
    os.kill(second.pid, signal.SIGSTOP)
    time.sleep(4)
    os.kill(second.pid, signal.SIGCONT)
    end = run_for(2)
    wait_for(lambda: fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0], what="the outbox")
    for schedule_id in ids:
        check_slots(engine, broker, schedule_id, SECONDLY, since, end)


def test_a_scheduler_killed_and_restarted_again_and_again_leaves_no_gap(engine, broker, spawn_scheduler):
    since, ids = add_secondly(engine, 10)
    for _ in range(3):
        child = spawn_scheduler()
        before = len(occurrences(engine, ids[0]))
        wait_for(lambda before=before: len(occurrences(engine, ids[0])) > before, what="a slot")
        child.kill()
    spawn_scheduler()
    end = run_for(4)
    wait_for(lambda: fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0], what="the outbox")
    for schedule_id in ids:
        check_slots(engine, broker, schedule_id, SECONDLY, since, end)


def test_sigterm_and_sigint_end_it_at_once_and_cleanly(
    engine, redis_client, settings, broker, spawn_scheduler
):
    for number in (signal.SIGTERM, signal.SIGINT):
        child = spawn_scheduler()
        wait_for(lambda: list_schedulers(redis_client, broker.keys), what="a sign of life")
        began = time.monotonic()
        child.send_signal(number)
        assert child.wait(10) == 0
        assert time.monotonic() - began < 5
        said = [json.loads(line) for line in child.stderr.read().splitlines()]
        assert [line for line in said if line["level"] not in ("debug", "info")] == []
        assert "scheduler_stopped" in {line.get("action") for line in said}
        assert list_schedulers(redis_client, broker.keys) == []


def test_a_new_schedule_is_seen_within_a_second(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    added = datetime.now(UTC)
    schedule_id = add_schedule(engine, "new", SECONDLY)
    wait_for(lambda: occurrences(engine, schedule_id), what="the first slot")
    first = occurrences(engine, schedule_id)[0][0]
    assert first <= added + timedelta(seconds=2)


def test_a_changed_expression_holds_from_the_next_second_on(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    schedule_id = add_schedule(engine, "job", SECONDLY)
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    execute(engine, "UPDATE callboard.schedules SET expr = '0 0 1 1 *'")
    time.sleep(0.5)
    count = len(occurrences(engine, schedule_id))
    time.sleep(2)
    assert len(occurrences(engine, schedule_id)) == count


def test_a_removed_schedule_fires_no_more(engine, broker, start_scheduler):
    schedule_id = add_schedule(engine, "job", SECONDLY)
    start_scheduler()
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    execute(engine, "DELETE FROM callboard.schedules")
    time.sleep(0.5)
    count = len(occurrences(engine, schedule_id))
    time.sleep(2)
    assert len(occurrences(engine, schedule_id)) == count


def test_a_switch_holds_for_the_very_next_slot(engine, broker, start_scheduler):
    schedule_id = add_schedule(engine, "job", SECONDLY)
    start_scheduler()
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    time.sleep(1 - time.time() % 1 + 0.3)
    execute(engine, "INSERT INTO cron_job_config (job_name, enabled) VALUES ('job', false)")
    off = whole_second(datetime.now(UTC))
    time.sleep(2.2)
    execute(engine, "UPDATE cron_job_config SET enabled = true")
    on = whole_second(datetime.now(UTC))
    time.sleep(2.2)
    found = {due: disposition for due, disposition, *_ in occurrences(engine, schedule_id)}
    assert {disposition for due, disposition in found.items() if due <= off} == {"fired"}
    assert {disposition for due, disposition in found.items() if off < due <= on} == {"skipped_disabled"}
    assert {disposition for due, disposition in found.items() if due > on} == {"fired"}


def test_pausing_and_resuming_in_a_race_with_the_tick_decides_each_slot_once(engine, broker, start_scheduler):
    since, (schedule_id,) = add_secondly(engine, 1)
    execute(engine, "INSERT INTO cron_job_config (job_name, enabled) VALUES ('job-0', true)")
    start_scheduler()
    start_scheduler()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        execute(engine, "UPDATE cron_job_config SET enabled = NOT enabled")
        time.sleep(0.01)
    execute(engine, "UPDATE cron_job_config SET enabled = true")
    end = whole_second(datetime.now(UTC))
    time.sleep(1.5)
    found = occurrences(engine, schedule_id)
    assert [due for due, *_ in found if due <= end] == [
        since + timedelta(seconds=n) for n in range(1, int((end - since).total_seconds()) + 1)
    ]
    fired = {run_id for _, disposition, _, run_id in found if disposition == "fired"}
    assert all((run_id is not None) == (disposition == "fired") for _, disposition, _, run_id in found)
    wait_for(lambda: fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0])
    assert sorted(message.message_id for message in queued(broker)) == sorted(str(run_id) for run_id in fired)


def test_a_schedule_that_somebody_holds_delays_no_other(engine, broker, start_scheduler):
    since, ids = add_secondly(engine, 5)
    start_scheduler()
    wait_for(lambda: len(occurrences(engine, ids[0])) >= 2)
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM callboard.schedules WHERE id = %s FOR UPDATE", (ids[0],))
        count = len(occurrences(engine, ids[0]))
        time.sleep(3)
        assert len(occurrences(engine, ids[0])) == count
        (late,) = fetch(engine, "SELECT max(decided_at - due_at) FROM callboard.occurrences")
        assert late < timedelta(seconds=2)
    end = run_for(2)
    for schedule_id in ids:
        check_slots(engine, broker, schedule_id, SECONDLY, since, end)


def test_a_run_asked_for_by_sql_is_sent_at_once(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    execute(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('job', 't')")
    began = time.monotonic()
    execute(engine, "SELECT callboard.request_run('job')")
    wait_for(lambda: queued(broker), what="the message")
    assert time.monotonic() - began < 4


def test_a_delayed_message_is_sent_when_it_is_due(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    execute(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('job', 't')")
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT callboard.request_run('job')")
        connection.exec_driver_sql("UPDATE callboard.outbox SET not_before = %s", (due,))
    wait_for(lambda: queued(broker), what="the message")
    assert timedelta(0) <= datetime.now(UTC) - due < timedelta(seconds=2)


def within_a_second(engine, broker):
    """How many of ten jobs enqueued by SQL, one after the other, were in Redis within a second."""
    quick = 0
    for number in range(1, 11):
        began = time.monotonic()
        execute(engine, "SELECT job_queue_enqueue('a_job')")
        wait_for(lambda number=number: len(queued(broker)) >= number, what=f"message {number}")
        quick += time.monotonic() - began < 1
    return quick


def test_jobs_enqueued_by_sql_are_sent_within_a_second(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    execute(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 't')")
    assert within_a_second(engine, broker) == 10


def test_jobs_enqueued_by_sql_are_sent_within_a_second_without_any_notice(
    engine, broker, start_scheduler, monkeypatch
):
    def lost(_self, _hear):
        raise NoticesLostError("cut off")

    monkeypatch.setattr(Notices, "prove", lost)
    process = start_scheduler()
    execute(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 't')")
    assert within_a_second(engine, broker) == 10
    assert not process.scheduler.listening


def test_a_job_enqueued_for_later_is_sent_when_it_is_due(engine, broker, start_scheduler):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    execute(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 't')")
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    execute(engine, "SELECT job_queue_enqueue('a_job', p_run_at := :due, p_max_attempts := 3)", due=due)
    wait_for(lambda: queued(broker), what="the message")
    assert timedelta(0) <= datetime.now(UTC) - due < timedelta(seconds=1)
    (message,) = queued(broker)
    assert message.options["max_retries"] == 2


def test_live_schedulers_can_be_seen(engine, redis_client, broker, start_scheduler):
    add_schedule(engine, "job", "0 0 1 1 *")
    first, _ = start_scheduler(), start_scheduler()

    def both_describe_themselves():
        found = list_schedulers(redis_client, broker.keys)
        return found if len(found) == 2 and all(one.get("next_due_at") for one in found) else None

    found = wait_for(both_describe_themselves, what="two signs of life")
    assert all(one["alive"] and one["pid"] == os.getpid() for one in found)
    assert {one["schedules"] for one in found} == {1}
    first.stop()
    assert len(list_schedulers(redis_client, broker.keys)) == 1
