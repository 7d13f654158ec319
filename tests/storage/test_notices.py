"""Hearing of changes in the database."""

import threading
import time

import psycopg
import pytest

from callboard.storage import notices
from callboard.storage.notices import Notices, NoticesLostError
from helpers.schedules import execute
from helpers.waiting import wait_for


@pytest.fixture
def heard():
    return []


@pytest.fixture
def follow(database_url, heard):
    """Follows the channel `news` in a thread; returns what ended it, if anything did."""
    stop = threading.Event()
    ended = []

    def run():
        try:
            with Notices(database_url, ["news"]) as connection:
                connection.prove(lambda channel, pid: heard.append((channel, pid)))
                heard.append("ready")
                connection.follow(lambda channel, pid: heard.append((channel, pid)), stop.is_set)
        except (psycopg.Error, NoticesLostError) as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: "ready" in heard or ended)
    yield ended
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_notice_is_heard_at_once_with_its_sender(engine, heard, follow):
    with engine.begin() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        connection.exec_driver_sql("NOTIFY news")
        connection.exec_driver_sql("NOTIFY other")
    wait_for(lambda: ("news", pid) in heard, 5)
    assert len(heard) == 2


def test_of_many_notices_none_is_lost(engine, heard, follow, monkeypatch):
    # Proving goes on all the time in between, and must swallow none.
    monkeypatch.setattr(notices, "PROBE_EVERY", 0.01)
    for number in range(200):
        execute(engine, f"NOTIFY news, '{number}'")
    wait_for(lambda: len(heard) >= 201, 10)
    assert len(heard) == 201


def test_a_connection_that_is_cut_is_noticed(engine, follow):
    execute(
        engine,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callboard-notices'",
    )
    wait_for(lambda: follow, 10)
    assert isinstance(follow[0], psycopg.Error)


def test_a_connection_on_which_notices_no_longer_arrive_is_noticed(database_url, monkeypatch):
    # As behind a pooler, that sends each statement over another connection.
    monkeypatch.setattr(notices, "PROBE_WAIT", 0.2)
    with Notices(database_url, ["news"]) as connection:
        connection._connection.execute("UNLISTEN *")
        began = time.monotonic()
        with pytest.raises(NoticesLostError):
            connection.prove(lambda *_: None)
        assert time.monotonic() - began < 5
