"""Slots that are due are claimed and sent, each exactly once."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import periodiq
import pytest

from callboard.core.clock import to_ms
from callboard.core.cron import cron
from callboard.core.ids import slot_run_id
from callboard.scheduler.clock import Clock
from callboard.scheduler.emitter import Scheduler
from callboard.scheduler.misfire import MOST, MOST_LATE
from helpers.queues import queued, slots_sent
from helpers.schedules import add_schedule, dispositions, execute, fetch, occurrences

HOUR = timedelta(hours=1)


def yearly(moment):
    """An expression that fires once a year, at a given whole second."""
    return f"{moment.second} {moment.minute} {moment.hour} {moment.day} {moment.month} *"


def test_it_is_periodiqs_scheduler(scheduler):
    assert isinstance(scheduler, periodiq.Scheduler)


def test_a_due_slot_becomes_an_occurrence_a_message_and_a_pending_run(engine, broker, scheduler):
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    schedule_id = add_schedule(
        engine,
        "report",
        yearly(due),
        args=[1, "two"],
        kwargs={"three": 3},
        queue="slow",
        checked_until=due - HOUR,
    )
    scheduler.schedule()
    run_id = slot_run_id(schedule_id, due)
    ((due_at, disposition, _, occurred),) = occurrences(engine, schedule_id)
    assert (due_at, disposition, occurred) == (due, "fired", run_id)
    (message,) = queued(broker, "slow")
    assert (message.message_id, message.actor_name) == (str(run_id), "report")
    assert (message.args, message.kwargs) == ((1, "two"), {"three": 3})
    expected = {
        "trigger": "schedule",
        "schedule_id": schedule_id,
        "due_at": to_ms(due),
        "requested_by": "schedule",
    }
    assert {name: message.options[name] for name in expected} == expected
    assert fetch(engine, "SELECT run_id, state, trigger, due_at FROM callboard.runs") == [
        (run_id, "pending", "schedule", due)
    ]
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0]


def test_a_message_carries_nothing_by_which_periodiq_would_drop_it(engine, broker, scheduler):
    # Stock Periodiq drops what is 30 s older than `scheduled_at`: a backlog, and every retry of a cron job.
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=40)
    add_schedule(engine, "report", yearly(due), checked_until=due - HOUR)
    scheduler.schedule()
    (message,) = queued(broker)
    assert "scheduled_at" not in message.options


@pytest.mark.parametrize("down", [timedelta(hours=1), timedelta(days=1), timedelta(days=30)])
@pytest.mark.parametrize("misfire", ["skip", "run_once", "run_all"])
def test_after_downtime_each_missed_slot_gets_what_the_policy_says(engine, broker, scheduler, misfire, down):
    since = datetime.now(UTC) - down
    schedule_id = add_schedule(
        engine, "report", "0 * * * *", misfire=misfire, limit=10, grace_ms=0, checked_until=since
    )
    expected = list(cron("0 * * * *").between(since, datetime.now(UTC)))
    scheduler.schedule()
    assert [due for due, *_ in occurrences(engine, schedule_id)] == expected
    count = len(expected)
    assert (
        dispositions(engine, schedule_id)
        == {
            "skip": Counter(missed=count),
            "run_once": Counter(late=1, coalesced=count - 1),
            "run_all": Counter(late=min(10, count), missed=max(0, count - 10)),
        }[misfire]
        + Counter()
    )
    assert len(queued(broker)) == dispositions(engine, schedule_id)["late"]


def test_thirty_days_of_a_schedule_that_fires_each_second_are_caught_up_with_in_bounds(
    engine, broker, scheduler
):
    now = datetime.now(UTC)
    ids = {
        misfire: add_schedule(
            engine,
            misfire,
            misfire=misfire,
            limit=10_000,
            grace_ms=0,
            checked_until=now - timedelta(days=30),
        )
        for misfire in ("skip", "run_once", "run_all")
    }
    began = time.monotonic()
    scheduler.schedule()
    assert time.monotonic() - began < 30
    # What falls due while this goes on is decided as well, on time or in a second, small catch-up.
    recorded = {misfire: dispositions(engine, schedule_id) for misfire, schedule_id in ids.items()}
    assert recorded["skip"]["missed"] >= MOST - 1
    assert recorded["run_once"]["coalesced"] >= MOST - 1
    assert recorded["run_once"]["late"] + recorded["run_once"]["fired"] >= 1
    assert MOST_LATE <= recorded["run_all"]["late"] < MOST_LATE + 30
    assert all(one.total() < MOST + MOST_LATE + 100 for one in recorded.values())
    assert len(queued(broker)) < MOST_LATE + 300


def test_a_second_round_finds_nothing_left_to_do(engine, broker, scheduler):
    schedule_id = add_schedule(engine, "report", "0 * * * *", checked_until=datetime.now(UTC) - 5 * HOUR)
    scheduler.schedule()
    before = occurrences(engine, schedule_id)
    scheduler.changed()
    scheduler.schedule()
    assert occurrences(engine, schedule_id) == before
    assert len(queued(broker)) == 1


def test_a_restart_within_the_minute_emits_nothing_again(engine, broker, relay):
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    schedule_id = add_schedule(
        engine, "report", checked_until=minute - timedelta(minutes=1), expr="* * * * *"
    )
    for _ in range(3):
        Scheduler(engine, relay, Clock()).schedule()
    sent = slots_sent(broker)
    assert sent[schedule_id, to_ms(minute)] == 1
    assert set(sent.values()) == {1}


def test_what_is_switched_off_is_recorded_as_skipped(engine, broker, scheduler):
    since = datetime.now(UTC) - 3 * HOUR
    off = add_schedule(engine, "off", "*/20 * * * *", enabled=False, checked_until=since)
    execute(engine, "INSERT INTO callboard.jobs (name, source, enabled_default) VALUES ('dark', 't', false)")
    dark = add_schedule(engine, "dark", "*/20 * * * *", checked_until=since)
    scheduler.schedule()
    found = dispositions(engine, off)
    assert found == dispositions(engine, dark)
    # One more where a slot falls due while this goes on
    assert found in ({"skipped_disabled": 9}, {"skipped_disabled": 10})
    assert queued(broker) == []


def test_thirty_days_switched_off_are_bounded_too(engine, broker, scheduler):
    schedule_id = add_schedule(
        engine, "off", enabled=False, checked_until=datetime.now(UTC) - timedelta(days=30)
    )
    scheduler.schedule()
    found = dispositions(engine, schedule_id)
    assert set(found) == {"skipped_disabled"}
    assert found.total() < MOST + 100
    assert queued(broker) == []


def test_an_expression_that_makes_no_sense_raises_an_alert_and_stops_no_other(engine, broker, scheduler):
    since = datetime.now(UTC) - HOUR
    add_schedule(engine, "broken", "61 * * * *", checked_until=since)
    good = add_schedule(engine, "good", "*/20 * * * *", checked_until=since)
    for _ in range(2):
        scheduler.changed()
        scheduler.schedule()
    assert dispositions(engine, good).total() == 3
    ((kind, message),) = fetch(engine, "SELECT kind, message FROM callboard.alerts")
    assert kind == "schedule_unreadable"
    assert message == (
        "A schedule of broken does not run. "
        "The minute field of the schedule is wrong: '61' is out of bounds; values go from 0 to 59."
    )
    # and the alert to be closed once it does make sense
    execute(engine, "UPDATE callboard.schedules SET expr = '1 * * * *' WHERE expr = '61 * * * *'")
    scheduler.changed()
    scheduler.schedule()
    assert fetch(engine, "SELECT count(*) FROM callboard.alerts WHERE resolved_at IS NULL") == [0]


def test_a_schedule_that_another_scheduler_has_moved_on_is_looked_up_and_not_doubled(
    engine, broker, scheduler, relay
):
    since = datetime.now(UTC) - 2 * HOUR
    schedule_id = add_schedule(engine, "report", "0 * * * *", checked_until=since)
    scheduler.timetable.replace([])
    scheduler._load()
    Scheduler(engine, relay, Clock()).schedule()
    before = occurrences(engine, schedule_id)
    # The first one still believes that the slots are open.
    scheduler.schedule()
    assert occurrences(engine, schedule_id) == before
    assert len(queued(broker)) == 1


def test_after_the_redis_went_away_slots_are_claimed_and_wait_in_the_outbox(
    engine, broker, scheduler, monkeypatch
):
    from redis.exceptions import ConnectionError as NoRedis

    def refuse(*_):
        raise NoRedis("refused")

    monkeypatch.setattr(broker, "_put", refuse)
    schedule_id = add_schedule(engine, "report", "0 * * * *", checked_until=datetime.now(UTC) - 2 * HOUR)
    scheduler.schedule()
    assert dispositions(engine, schedule_id).total() == 2
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [1]


def test_each_slot_of_a_dst_change_gets_its_occurrence_once(engine, broker, scheduler):
    # Paris, 2025: 02:30 does not exist on 30 March and exists twice on 26 October.
    months = [(datetime(2025, 3, 28, tzinfo=UTC), 3), (datetime(2025, 10, 24, tzinfo=UTC), 3)]
    for number, (start, days) in enumerate(months):
        schedule_id = add_schedule(
            engine,
            f"nightly-{number}",
            "30 2 * * *",
            tz="Europe/Paris",
            misfire="run_all",
            limit=10**6,
            checked_until=start,
        )
        scheduler.changed()
        scheduler.schedule()
        found = [due for due, *_ in occurrences(engine, schedule_id) if due < start + timedelta(days=days)]
        assert len(found) == days, found
        per_day = Counter(due.date() for due in found)
        assert set(per_day.values()) == {1}


def test_when_a_clock_steps_by_more_than_a_minute_an_alert_is_opened(engine, relay, broker):
    shift = [0.0]
    clock = Clock(lambda: time.time() + shift[0], time.monotonic)
    scheduler = Scheduler(engine, relay, clock)
    schedule_id = add_schedule(engine, "report", "* * * * *", checked_until=datetime.now(UTC))
    scheduler.schedule()
    for step in (86_400.0, -86_400.0, 300.0, -300.0):
        shift[0] += step
        scheduler.schedule()
    # The database's clock held all the time: no slot of the day ahead was fired.
    assert dispositions(engine, schedule_id).total() <= 1
    alerts = fetch(engine, "SELECT kind, message FROM callboard.alerts")
    assert len(alerts) == 1
    assert alerts[0][0] == "clock_step"
    assert "stepped back by 0:05:00" in alerts[0][1]


def test_a_scheduler_that_is_to_tell_nothing_opens_no_alert(engine, relay, broker):
    shift = [0.0]
    scheduler = Scheduler(engine, relay, Clock(lambda: time.time() + shift[0], time.monotonic))
    scheduler.tells = False
    add_schedule(engine, "broken", "61 * * * *", checked_until=datetime.now(UTC))
    scheduler.schedule()
    shift[0] += 300.0
    scheduler.schedule()
    assert fetch(engine, "SELECT kind FROM callboard.alerts") == []


def test_when_the_clock_of_host_and_database_go_back_nothing_fires_twice(engine, broker, scheduler):
    schedule_id = add_schedule(engine, "report", "*/10 * * * *", checked_until=datetime.now(UTC) - HOUR)
    scheduler.schedule()
    fired = slots_sent(broker)
    # As if time had been set back: what was decided is open again.
    execute(engine, "UPDATE callboard.schedules SET checked_until = checked_until - interval '1 hour'")
    scheduler.changed()
    scheduler.schedule()
    assert slots_sent(broker) == fired
    found = [due for due, *_ in occurrences(engine, schedule_id)]
    assert len(found) == len(set(found))
