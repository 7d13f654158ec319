"""The alarm that the scheduler's loop waits on."""

import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from callboard.scheduler.alarm import Alarm
from callboard.scheduler.clock import Clock


@pytest.fixture
def alarm():
    return Alarm(Clock())


def test_it_rings_at_its_instant_and_not_before(alarm):
    instant = datetime.now(UTC) + timedelta(seconds=0.3)
    alarm.set(instant)
    assert alarm.get()
    assert timedelta(0) <= datetime.now(UTC) - instant < timedelta(seconds=5)


def test_an_instant_that_has_passed_rings_at_once(alarm):
    alarm.set(datetime.now(UTC) - timedelta(days=1))
    began = time.monotonic()
    assert alarm.get()
    assert time.monotonic() - began < 5


def test_without_an_instant_it_waits_until_it_is_rung(alarm):
    threading.Timer(0.2, alarm.ring).start()
    began = time.monotonic()
    assert alarm.get()
    assert time.monotonic() - began >= 0.19


def test_several_calls_ring_once(alarm):
    for _ in range(5):
        alarm.ring()
    assert alarm.get()
    alarm.set(datetime.now(UTC) + timedelta(seconds=0.2))
    began = time.monotonic()
    alarm.get()
    assert time.monotonic() - began >= 0.15


def test_stopped_it_ends_the_wait_at_once_and_for_good(alarm):
    alarm.set(datetime.now(UTC) + timedelta(hours=1))
    threading.Timer(0.1, alarm.stop).start()
    began = time.monotonic()
    assert not alarm.get()
    assert time.monotonic() - began < 5
    alarm.ring()
    assert not alarm.get()


def test_it_may_be_stopped_from_a_signal_handler(alarm):
    before = signal.signal(signal.SIGUSR1, lambda *_: alarm.stop())
    try:
        threading.Timer(0.1, signal.raise_signal, [signal.SIGUSR1]).start()
        alarm.set(datetime.now(UTC) + timedelta(seconds=30))
        assert not alarm.get()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_step_of_the_clock_rings():
    shift = [0.0]
    clock = Clock(lambda: time.time() + shift[0], time.monotonic)
    alarm = Alarm(clock)
    alarm.set(datetime.now(UTC) + timedelta(hours=1))
    shift[0] = -86_400.0
    assert alarm.get()
