"""What time it is when clocks disagree or jump."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.scheduler.clock import Clock, alarming, describe_step

START = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Host:
    """A wall clock and a monotonic clock that pass and step as told."""

    def __init__(self):
        self.wall = START.timestamp()
        self.monotonic = 1000.0

    def passes(self, seconds):
        self.wall += seconds
        self.monotonic += seconds

    def steps(self, seconds):
        self.wall += seconds


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def clock(host):
    return Clock(lambda: host.wall, lambda: host.monotonic)


def test_time_that_passes_is_no_step(host, clock):
    host.passes(86_400)
    assert not clock.stepped()
    assert clock.take_step() == 0.0


@pytest.mark.parametrize("seconds", [300, -300, 86_400, -86_400])
def test_a_step_is_seen_once_either_way(host, clock, seconds):
    host.steps(seconds)
    host.passes(3)
    assert clock.stepped()
    assert clock.take_step() == pytest.approx(seconds)
    assert not clock.stepped()
    assert clock.take_step() == 0.0


def test_a_step_under_a_second_is_drift(host, clock):
    host.steps(0.9)
    assert not clock.stepped()


def test_a_step_of_a_minute_is_alarming():
    assert alarming(-60)
    assert alarming(61)
    assert not alarming(59)


def test_a_step_is_described_by_its_length_and_direction():
    assert describe_step(-86_400) == "The clock of this host was stepped back by 1 day, 0:00:00."
    assert describe_step(300.2) == "The clock of this host was stepped forward by 0:05:00."


def test_a_host_close_to_the_database_follows_its_own_clock(host, clock):
    assert clock.measure(lambda: START + timedelta(seconds=0.8)) == pytest.approx(0.8)
    assert clock.now() == START
    assert not clock.follows_database


@pytest.mark.parametrize("seconds", [-86_400, -5, 5, 86_400])
def test_a_host_far_from_the_database_follows_the_databases_clock(host, clock, seconds):
    there = START + timedelta(seconds=seconds)
    assert clock.measure(lambda: there) == pytest.approx(seconds)
    assert clock.now() == there
    assert clock.seconds_until(there + timedelta(seconds=10)) == pytest.approx(10)
    assert clock.follows_database


def test_a_slow_answer_is_no_distance(host, clock):
    def answer_slowly():
        host.passes(2)
        moment = datetime.fromtimestamp(host.wall, UTC)
        host.passes(2)
        return moment

    assert clock.measure(answer_slowly) == 0.0


def test_a_host_that_is_put_right_follows_its_own_clock_again(host, clock):
    clock.measure(lambda: START + timedelta(hours=1))
    host.steps(3600)
    clock.measure(lambda: START + timedelta(hours=1))
    assert not clock.follows_database
    assert clock.now() == START + timedelta(hours=1)
