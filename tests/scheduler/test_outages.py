"""PostgreSQL or Redis away: nothing ends, nothing is lost, all comes back by itself."""

import logging
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from callboard.core.settings import load_settings
from callboard.middleware.broker import Broker
from callboard.scheduler.process import SchedulerProcess
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import make_engine
from callboard.storage.migrate import migrate
from helpers.checker import check_slots, whole_second
from helpers.homes import short_folder
from helpers.schedules import add_schedule, dispositions, execute, fetch, occurrences
from helpers.waiting import wait_for

SECONDLY = "* * * * * *"


@pytest.fixture(scope="module")
def own():
    """Servers that may be stopped: those of the session serve every other test."""
    with short_folder() as folder, EmbeddedServers(folder / "home") as servers:
        migrate(servers.postgres.url)
        yield servers


@pytest.fixture
def engine(own):
    engine = make_engine(own.postgres.url)
    execute(engine, "TRUNCATE callboard.schedules, callboard.occurrences, callboard.outbox, callboard.runs")
    yield engine
    engine.dispose()


@pytest.fixture
def broker(own, namespace):
    broker = Broker(url=own.valkey.url, namespace=namespace)
    yield broker
    broker.client.flushall()
    broker.close()


@pytest.fixture
def process(own, namespace, engine, broker):
    settings = load_settings(
        {
            "DATABASE_URL": own.postgres.url,
            "REDIS_URL": own.valkey.url,
            "CALLBOARD_NAMESPACE": namespace,
        }
    )
    with SchedulerProcess(settings) as process:
        yield process
        assert process.alive


@pytest.fixture
def secondly(engine):
    since = whole_second(datetime.now(UTC))
    return since, add_schedule(engine, "job", SECONDLY, checked_until=since)


def settled(engine):
    """Wait until everything claimed has been sent. Returns the last slot that must be there."""
    end = whole_second(datetime.now(UTC))
    time.sleep(1.5)
    wait_for(lambda: fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0], what="an empty outbox")
    return end


def test_redis_killed_for_some_seconds(own, engine, broker, secondly, process, caplog):
    since, schedule_id = secondly
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    with caplog.at_level(logging.INFO):
        os.kill(own.valkey.process.pid, signal.SIGKILL)
        time.sleep(4)
        # Claiming has gone on, on time, and what was claimed waits.
        assert fetch(engine, "SELECT count(*) >= 2 FROM callboard.outbox") == [True]
        own.revive()
        end = settled(engine)
    check_slots(engine, broker, schedule_id, SECONDLY, since, end)
    assert set(dispositions(engine, schedule_id)) == {"fired"}
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1, [record.getMessage() for record in said]


def test_redis_that_hangs_and_comes_back(own, engine, broker, secondly, process):
    since, schedule_id = secondly
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    os.kill(own.valkey.process.pid, signal.SIGSTOP)
    time.sleep(5)
    os.kill(own.valkey.process.pid, signal.SIGCONT)
    end = settled(engine)
    check_slots(engine, broker, schedule_id, SECONDLY, since, end)


def test_postgresql_killed_for_some_seconds(own, engine, broker, secondly, process, caplog):
    since, schedule_id = secondly
    wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2)
    with caplog.at_level(logging.INFO):
        os.kill(own.postgres.process.pid, signal.SIGKILL)
        own.postgres.process.stop()
        time.sleep(4)
        own.revive()
        time.sleep(2)
        end = settled(engine)
    # The grace of a minute takes in all that was missed.
    check_slots(engine, broker, schedule_id, SECONDLY, since, end)
    wait_for(lambda: process.scheduler.listening, what="listening again")
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert 1 <= len(said) <= 3, [record.getMessage() for record in said]


def test_slots_that_fell_due_while_postgresql_was_away_follow_their_policy(own, engine, broker, process):
    since = whole_second(datetime.now(UTC))
    skipping = add_schedule(engine, "skips", SECONDLY, misfire="skip", grace_ms=500, checked_until=since)
    once = add_schedule(engine, "once", SECONDLY, misfire="run_once", grace_ms=500, checked_until=since)
    wait_for(lambda: len(occurrences(engine, once)) >= 2)
    own.postgres.stop()
    time.sleep(5)
    own.revive()
    end = settled(engine)
    assert dispositions(engine, skipping)["missed"] >= 3
    assert dispositions(engine, once)["coalesced"] >= 3
    for schedule_id in (skipping, once):
        due = [moment for moment, *_ in occurrences(engine, schedule_id) if moment <= end]
        assert due == [since + timedelta(seconds=n) for n in range(1, len(due) + 1)]


def test_a_lost_listening_connection_is_replaced_and_changes_are_polled_meanwhile(engine, broker, process):
    wait_for(lambda: process.scheduler.listening, what="listening")
    execute(
        engine,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callboard-notices'",
    )
    added = datetime.now(UTC)
    schedule_id = add_schedule(engine, "new", SECONDLY)
    wait_for(lambda: occurrences(engine, schedule_id), 5, what="the first slot")
    assert occurrences(engine, schedule_id)[0][0] <= added + timedelta(seconds=3)
    wait_for(lambda: process.scheduler.listening, what="listening again")


def test_it_starts_while_both_servers_are_away_and_begins_when_they_come(own, engine, broker, namespace):
    schedule_id = add_schedule(engine, "job", SECONDLY)
    settings = load_settings(
        {
            "DATABASE_URL": own.postgres.url,
            "REDIS_URL": own.valkey.url,
            "CALLBOARD_NAMESPACE": namespace,
        }
    )
    own.postgres.stop()
    own.valkey.stop()
    with SchedulerProcess(settings) as process:
        time.sleep(2)
        assert process.alive
        own.revive()
        wait_for(lambda: len(occurrences(engine, schedule_id)) >= 2, what="slots")
    began = time.monotonic()
    with SchedulerProcess(settings):
        own.postgres.stop()
        own.valkey.stop()
    # Ending does not wait for servers that are away.
    assert time.monotonic() - began < 8
    own.revive()
