"""What stock Periodiq gets wrong, beside our right answer.

Each test first asserts that Periodiq is still wrong: one that fails there tells that it was mended upstream.
"""

import pendulum
import periodiq
import pytest

from callboard.core.cron import cron
from callboard.core.errors import BadSchedule

PARIS = "Europe/Paris"


def at(text: str, tz: str = "UTC") -> pendulum.DateTime:
    moment = pendulum.parse(text, tz=tz)
    assert isinstance(moment, pendulum.DateTime)
    return moment


@pytest.mark.parametrize("expr", ["0 0 * * 0", "@weekly", "0 0 * * sun", "0 0 * * 0-6"])
def test_sunday_as_0_and_sun(expr: str) -> None:
    sunday = at("2025-01-05")

    if expr != "0 0 * * 0-6":
        assert periodiq.cron(expr).next_valid_date(at("2025-01-01")) == sunday, "it wakes up on time,"
    assert not periodiq.cron(expr).validate(sunday), "and then finds nothing to do"

    assert cron(expr).next_valid_date(at("2025-01-04 12:00")) == sunday
    assert cron(expr).validate(sunday)


def test_saturday_to_sunday() -> None:
    with pytest.raises(IndexError):
        periodiq.cron("0 0 * * sat-sun")

    assert cron("0 0 * * sat-sun").next_valid_date(at("2025-01-01")) == at("2025-01-04")
    assert cron("0 0 * * sat-sun").next_valid_date(at("2025-01-04")) == at("2025-01-05")


def test_the_start_of_a_window() -> None:
    early = at("2025-01-01 05:03")

    assert periodiq.cron("*/5 9 * * *").next_valid_date(early) == at("2025-01-01 09:05")

    assert cron("*/5 9 * * *").next_valid_date(early) == at("2025-01-01 09:00")


def test_the_twenty_ninth_of_february() -> None:
    assert periodiq.cron("0 0 29 2 *").next_valid_date(at("2025-02-10")) == at("2026-03-01")

    assert cron("0 0 29 2 *").next_valid_date(at("2025-02-10")) == at("2028-02-29")


def test_six_fields() -> None:
    now = at("2025-01-01 00:00:00")

    assert periodiq.cron("*/30 * * * * *").next_valid_date(now) == at("2025-01-01 00:30:00")

    assert cron("*/30 * * * * *").next_valid_date(now) == at("2025-01-01 00:00:30")


def test_a_step_after_a_single_value() -> None:
    assert periodiq.cron("5/15 * * * *").next_valid_date(at("2025-01-01 00:05")) == at("2025-01-01 01:05")

    assert cron("5/15 * * * *").next_valid_date(at("2025-01-01 00:05")) == at("2025-01-01 00:20")


@pytest.mark.parametrize("expr", ["61 * * * *", "75 * * * *", "0 30 * * *", "0 0 0 * *"])
def test_values_out_of_bounds(expr: str) -> None:
    assert str(periodiq.cron(expr)) == expr, "accepted"

    with pytest.raises(BadSchedule, match="is out of bounds"):
        cron(expr)


@pytest.mark.parametrize(("expr", "error"), [("1--100000000 * * * *", IndexError), ("* * * *", IndexError)])
def test_nonsense_gets_no_reason(expr: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="list index out of range"):
        periodiq.cron(expr)

    with pytest.raises(BadSchedule, match="minute"):
        cron(expr)


def test_a_range_is_expanded_before_it_is_checked() -> None:
    assert len(periodiq.cron("0-100000 * * * *").minute) == 100_001

    with pytest.raises(BadSchedule, match="out of bounds"):
        cron("0-100000 * * * *")


def fired(schedule: object, start: pendulum.DateTime, end: pendulum.DateTime) -> list[str]:
    """What a scheduler that wakes up at each `next_valid_date`, and then asks `validate`, sends in a window.

    Stock Periodiq asks in the zone of its process, which `start` stands for.
    """
    sent, now = [], start
    while now <= end:
        if schedule.validate(now):  # type: ignore[attr-defined]
            sent.append(now.isoformat())
        now = pendulum.instance(schedule.next_valid_date(now)).in_timezone(start.timezone_name)  # type: ignore[attr-defined]
    return sent


def test_a_time_in_the_spring_gap() -> None:
    window = (at("2025-03-29 12:00", PARIS), at("2025-03-31 01:00", PARIS))

    assert fired(periodiq.cron("30 2 * * *"), *window) == [], "the run of the 30th is lost"

    assert fired(cron("30 2 * * *", PARIS), *window) == ["2025-03-30T03:00:00+02:00"]


def test_a_time_in_the_autumn_fold() -> None:
    window = (at("2025-10-25 12:00", PARIS), at("2025-10-27 01:00", PARIS))

    assert fired(periodiq.cron("30 2 * * *"), *window) == [
        "2025-10-26T02:30:00+02:00",
        "2025-10-26T02:30:00+01:00",
    ], "it runs twice"

    assert fired(cron("30 2 * * *", PARIS), *window) == ["2025-10-26T02:30:00+02:00"]


def test_a_restart_within_the_minute_sends_nothing_again() -> None:
    late = at("2025-01-01 08:00:20")

    assert periodiq.cron("0 8 * * *").validate(late), "a scheduler started then would send it once more"

    assert not cron("0 8 * * *").validate(late)
    assert cron("0 8 * * *").validate(at("2025-01-01 08:00:00"))


def test_a_zone_of_its_own() -> None:
    with pytest.raises(TypeError):
        periodiq.cron("0 8 * * *", tz=PARIS)

    assert cron("0 8 * * *", tz=PARIS).next_valid_date(at("2025-07-01")) == at("2025-07-01 06:00")
