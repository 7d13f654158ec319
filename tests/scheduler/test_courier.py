"""The courier's duties, and what is said of servers that are away."""

import logging
import threading
import time

import pytest
from redis.exceptions import ConnectionError as NoRedis
from sqlalchemy.exc import OperationalError

from callboard.scheduler.courier import Courier, Duty
from callboard.scheduler.outage import LONGEST, Outage
from helpers.waiting import wait_for


@pytest.fixture
def outages():
    return Outage("PostgreSQL"), Outage("Redis")


@pytest.fixture
def start(outages):
    started = []

    def start(*duties):
        courier = Courier(duties, *outages)
        courier.start()
        started.append(courier)
        return courier

    yield start
    for courier in started:
        courier.stop()
        courier.join(5)
        assert not courier.is_alive()


def test_a_duty_is_done_at_once_and_again_and_again(start):
    done = []
    start(Duty("one", lambda: done.append(time.monotonic()), 0.1))
    wait_for(lambda: len(done) >= 3)


def test_a_duty_that_is_asked_for_is_done_before_its_time(start):
    done = []
    courier = start(Duty("one", lambda: done.append(1), 3600))
    wait_for(lambda: len(done) == 1)
    courier.ask("one")
    wait_for(lambda: len(done) == 2, 5)


def test_a_duty_may_say_when_it_is_to_be_done_next(start):
    done = []

    def act():
        done.append(1)
        return 0.0 if len(done) < 50 else None

    start(Duty("one", act, 3600))
    wait_for(lambda: len(done) == 50)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (NoRedis("refused"), [False, True]),
        (OperationalError("SELECT 1", {}, Exception("refused")), [True, False]),
        (ZeroDivisionError(), [False, False]),
    ],
)
def test_a_duty_that_fails_is_tried_again_and_holds_up_no_other(start, outages, error, away):
    tried, done = [], []

    def fail():
        tried.append(1)
        raise error

    start(Duty("bad", fail, 0.2), Duty("good", lambda: done.append(1), 0.1))
    wait_for(lambda: len(tried) >= 3 and len(done) >= 3)
    assert [outage.open for outage in outages] == away


def test_it_ends_at_once(outages):
    courier = Courier([Duty("one", lambda: None, 3600)], *outages)
    courier.start()
    began = time.monotonic()
    courier.stop()
    courier.join(5)
    assert not courier.is_alive()
    assert time.monotonic() - began < 5


def test_an_outage_is_said_once_when_it_begins_and_once_when_it_ends(caplog):
    outage = Outage("Redis")
    with caplog.at_level(logging.INFO):
        pauses = [outage.failed(NoRedis("refused")) for _ in range(20)]
        assert outage.open
        assert outage.over()
        assert not outage.over()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    # Asked again soon at first, then ever more slowly, and never less often than this.
    assert pauses[0] <= 0.1
    assert max(pauses) <= LONGEST
    assert min(pauses[10:]) >= LONGEST / 2


def test_threads_that_notice_together_say_it_once(caplog):
    outage = Outage("Redis")
    with caplog.at_level(logging.INFO):
        threads = [threading.Thread(target=outage.failed, args=[NoRedis("refused")]) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caplog.records) == 1
