"""Our schedules in the hands of stock Periodiq's scheduler, with real and with chosen time."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pendulum
import periodiq
import pytest
import time_machine

from callboard.core.cron import Cron, cron


class Stop(Exception):
    pass


class Actor:
    """What Periodiq's scheduler uses of an actor."""

    fn = staticmethod(time.sleep)
    queue_name = "default"

    def __init__(self, name: str, schedule: Cron, enough: int = 1_000) -> None:
        self.actor_name = name
        self.options = {"periodic": schedule}
        self.sent: list[pendulum.DateTime] = []
        self.enough = enough

    def send_with_options(self, scheduled_at: str) -> None:
        moment = pendulum.parse(scheduled_at)
        assert isinstance(moment, pendulum.DateTime)
        self.sent.append(moment)
        if len(self.sent) == self.enough:
            raise Stop


@pytest.fixture
def no_alarm() -> Iterator[None]:
    """Periodiq sets an alarm for its process; no test leaves one behind."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# pytest-timeout keeps time with the alarm that Periodiq takes for itself.
pytestmark = [pytest.mark.usefixtures("no_alarm"), pytest.mark.timeout(method="thread")]


def test_it_runs_in_the_stock_loop_in_real_time() -> None:
    every_second, every_other = Actor("a", cron("* * * * * *"), enough=4), Actor("b", cron("*/2 * * * * *"))
    scheduler = periodiq.Scheduler(actors=[every_second, every_other])
    scheduler.schedule()

    with pytest.raises(Stop):
        scheduler.loop()

    seconds = [moment.int_timestamp for moment in every_second.sent]
    assert len(set(seconds)) == 4
    assert seconds == sorted(seconds)
    # The last round ended before the second actor's turn.
    assert [moment.int_timestamp for moment in every_other.sent] == [n for n in seconds[:-1] if n % 2 == 0]


def test_the_stock_scheduler_sends_what_is_due_and_sets_its_alarm_for_the_next_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alarms: list[int] = []
    monkeypatch.setattr(periodiq, "alarm", alarms.append)
    monkeypatch.setattr(periodiq, "sleep", lambda seconds: None)
    paris = Actor("paris", cron("30 2 * * *", tz="Europe/Paris"))
    sunday = Actor("sunday", cron("0 1 * * sun"))
    scheduler = periodiq.Scheduler(actors=[paris, sunday])

    # 30 March 2025, a Sunday: in Paris 02:30 does not exist and falls due at 03:00, which is 01:00 UTC.
    for moment in ("2025-03-30T00:59:00", "2025-03-30T01:00:00", "2025-03-30T01:00:30"):
        with time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=UTC), tick=False):
            scheduler.schedule()

    due = datetime(2025, 3, 30, 1, 0, tzinfo=UTC)
    assert paris.sent == [due]
    assert sunday.sent == [due]
    assert alarms == [60, 23 * 3600 + 30 * 60, 23 * 3600 + 30 * 60 - 30]


def test_stock_periodiq_prints_our_schedules(caplog: pytest.LogCaptureFixture) -> None:
    actor: Any = Actor("report", cron("0 8 * * *", tz="Europe/Paris"))

    with caplog.at_level("INFO", logger="periodiq"):
        periodiq.print_periodic_actors([actor])

    assert "0 8 * * * Europe/Paris" in caplog.text


def test_pendulum_times_are_understood_in_any_zone_and_either_pass_of_a_fold() -> None:
    schedule = cron("*/30 * * * *", tz="Europe/Paris")
    first = pendulum.datetime(2025, 10, 26, 2, 15, tz="Europe/Paris", fold=0)
    second = pendulum.datetime(2025, 10, 26, 2, 15, tz="Europe/Paris", fold=1)

    assert schedule.next_valid_date(first) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert schedule.next_valid_date(second) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert schedule.validate(pendulum.datetime(2025, 10, 26, 10, 0, tz="Asia/Kolkata"))
    assert not schedule.validate(pendulum.datetime(2025, 10, 26, 10, 15, tz="Asia/Kolkata"))


def test_a_slot_is_due_in_its_second_and_in_no_other() -> None:
    schedule = cron("0 8 * * *")
    due = pendulum.datetime(2025, 1, 1, 8, 0, 0)

    assert [n for n in range(-120, 121) if schedule.validate(due.add(seconds=n))] == [0]
    assert schedule.validate(due.add(microseconds=999_999))
    assert not schedule.validate(due.subtract(microseconds=1))
