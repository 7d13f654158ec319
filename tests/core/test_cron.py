"""What a schedule is and answers, in UTC; its zones and its refusals have files of their own."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import given, reject, settings

from callboard.core.cron import Cron, cron
from callboard.core.errors import BadInput, BadSchedule
from helpers.cron_expressions import expressions, moments

SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(expr: str, after: str, count: int = 3) -> list[str]:
    """The next slots after a time, without what all of them share."""
    found, slot = [], at(after)
    for _ in range(count):
        slot = cron(expr).next(slot)
        found.append(slot.strftime("%F %T" if slot.second else "%F %R"))
    return found


@pytest.mark.parametrize(
    ("expr", "after", "expected"),
    [
        # The window's start is not missed when the question comes earlier in another hour.
        ("*/5 9 * * *", "2025-01-01 05:03", ["2025-01-01 09:00", "2025-01-01 09:05", "2025-01-01 09:10"]),
        ("*/5 9 * * *", "2025-01-01 09:55", ["2025-01-02 09:00", "2025-01-02 09:05", "2025-01-02 09:10"]),
        # Sunday is 0, 7 and sun.
        ("0 0 * * 0", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("0 0 * * 7", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("0 0 * * sun", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("0 0 * * SUN", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("0 0 * * sat-sun", "2025-01-01", ["2025-01-04 00:00", "2025-01-05 00:00", "2025-01-11 00:00"]),
        ("0 0 * * 6-7", "2025-01-01", ["2025-01-04 00:00", "2025-01-05 00:00", "2025-01-11 00:00"]),
        ("0 0 * * sun-mon", "2025-01-01", ["2025-01-05 00:00", "2025-01-06 00:00", "2025-01-12 00:00"]),
        ("0 0 * * sun-sun", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("0 0 * * 0-6", "2025-01-04", ["2025-01-05 00:00", "2025-01-06 00:00", "2025-01-07 00:00"]),
        ("0 0 * * */7", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        # Days that not every month or year has.
        ("0 0 29 2 *", "2025-01-01", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 29 2 *", "2096-02-29", ["2104-02-29 00:00", "2108-02-29 00:00", "2112-02-29 00:00"]),
        ("0 0 31 * *", "2025-01-31", ["2025-03-31 00:00", "2025-05-31 00:00", "2025-07-31 00:00"]),
        ("0 0 30 * *", "2025-01-30", ["2025-03-30 00:00", "2025-04-30 00:00", "2025-05-30 00:00"]),
        # Two restricted day fields: either will do. One that begins with a star: both must match.
        ("0 0 13 * 5", "2025-06-06", ["2025-06-13 00:00", "2025-06-20 00:00", "2025-06-27 00:00"]),
        ("0 0 13 * 5", "2025-05-10", ["2025-05-13 00:00", "2025-05-16 00:00", "2025-05-23 00:00"]),
        ("0 0 29 2 1", "2025-02-20", ["2025-02-24 00:00", "2026-02-02 00:00", "2026-02-09 00:00"]),
        ("0 0 */2 * mon", "2025-01-01", ["2025-01-13 00:00", "2025-01-27 00:00", "2025-02-03 00:00"]),
        ("0 0 1-7 * */7", "2025-01-01", ["2025-01-05 00:00", "2025-02-02 00:00", "2025-03-02 00:00"]),
        ("0 0 29 2 */7", "2025-01-01", ["2032-02-29 00:00", "2060-02-29 00:00", "2088-02-29 00:00"]),
        # Steps.
        ("5/15 * * * *", "2025-01-01", ["2025-01-01 00:05", "2025-01-01 00:20", "2025-01-01 00:35"]),
        ("5/15 * * * *", "2025-01-01 00:49", ["2025-01-01 00:50", "2025-01-01 01:05", "2025-01-01 01:20"]),
        ("10-20/5 * * * *", "2025-01-01", ["2025-01-01 00:10", "2025-01-01 00:15", "2025-01-01 00:20"]),
        ("*/7 * * * *", "2025-01-01 00:50", ["2025-01-01 00:56", "2025-01-01 01:00", "2025-01-01 01:07"]),
        ("0 0 * */3 *", "2025-01-31", ["2025-04-01 00:00", "2025-04-02 00:00", "2025-04-03 00:00"]),
        # Lists, names, ranges.
        ("0 8,12,18 * * *", "2025-01-01", ["2025-01-01 08:00", "2025-01-01 12:00", "2025-01-01 18:00"]),
        ("0 9 1 jan,Jul *", "2025-01-02", ["2025-07-01 09:00", "2026-01-01 09:00", "2026-07-01 09:00"]),
        (
            "0 9 * jan mon-wed,5",
            "2025-01-01 10:00",
            ["2025-01-03 09:00", "2025-01-06 09:00", "2025-01-07 09:00"],
        ),
        # Six fields: the second comes first.
        ("*/30 * * * * *", "2025-01-01", ["2025-01-01 00:00:30", "2025-01-01 00:01", "2025-01-01 00:01:30"]),
        (
            "15 30 8 * * *",
            "2025-01-01",
            ["2025-01-01 08:30:15", "2025-01-02 08:30:15", "2025-01-03 08:30:15"],
        ),
        ("0 */5 * * * *", "2025-01-01", ["2025-01-01 00:05", "2025-01-01 00:10", "2025-01-01 00:15"]),
        # The last days, and numbered weekdays.
        ("0 0 L * *", "2024-01-31", ["2024-02-29 00:00", "2024-03-31 00:00", "2024-04-30 00:00"]),
        ("0 0 LW * *", "2025-08-01", ["2025-08-29 00:00", "2025-09-30 00:00", "2025-10-31 00:00"]),
        ("0 0 * * 5L", "2025-01-01", ["2025-01-31 00:00", "2025-02-28 00:00", "2025-03-28 00:00"]),
        ("0 0 * * friL", "2025-01-01", ["2025-01-31 00:00", "2025-02-28 00:00", "2025-03-28 00:00"]),
        ("0 0 * * mon#2", "2025-01-01", ["2025-01-13 00:00", "2025-02-10 00:00", "2025-03-10 00:00"]),
        ("0 0 * * 1#5", "2025-01-01", ["2025-03-31 00:00", "2025-06-30 00:00", "2025-09-29 00:00"]),
        # The names of whole schedules.
        ("@hourly", "2025-01-01", ["2025-01-01 01:00", "2025-01-01 02:00", "2025-01-01 03:00"]),
        ("@daily", "2025-01-01", ["2025-01-02 00:00", "2025-01-03 00:00", "2025-01-04 00:00"]),
        ("@midnight", "2025-01-01", ["2025-01-02 00:00", "2025-01-03 00:00", "2025-01-04 00:00"]),
        ("@weekly", "2025-01-01", ["2025-01-05 00:00", "2025-01-12 00:00", "2025-01-19 00:00"]),
        ("@monthly", "2025-01-01", ["2025-02-01 00:00", "2025-03-01 00:00", "2025-04-01 00:00"]),
        ("@yearly", "2025-01-01", ["2026-01-01 00:00", "2027-01-01 00:00", "2028-01-01 00:00"]),
        ("@Annually", "2025-01-01", ["2026-01-01 00:00", "2027-01-01 00:00", "2028-01-01 00:00"]),
    ],
)
def test_the_next_slots_after_a_time(expr: str, after: str, expected: list[str]) -> None:
    assert slots(expr, after) == expected


def test_next_and_previous_are_strict_and_see_fractions_of_a_second() -> None:
    daily, midnight = cron("@daily"), at("2025-01-02")
    blink = timedelta(microseconds=1)

    assert daily.next(midnight) == at("2025-01-03")
    assert daily.next(midnight - blink) == midnight
    assert daily.previous(midnight) == at("2025-01-01")
    assert daily.previous(midnight + blink) == midnight


def test_a_window_leaves_out_its_start_and_includes_its_end() -> None:
    hourly = cron("0 * * * *")

    assert list(hourly.between(at("2025-01-01 00:00"), at("2025-01-01 02:00"))) == [
        at("2025-01-01 01:00"),
        at("2025-01-01 02:00"),
    ]
    assert list(hourly.between(at("2025-01-01 00:00"), at("2025-01-01 00:59:59"))) == []
    assert list(hourly.between(at("2025-01-02"), at("2025-01-01"))) == []


def test_a_window_can_be_limited_and_is_not_worked_out_further() -> None:
    a_century = (at("2000-01-01"), at("2100-01-01"))

    assert len(list(cron("* * * * *").between(*a_century, limit=3))) == 3
    assert list(cron("* * * * *").between(*a_century, limit=0)) == []


@settings(deadline=None, max_examples=100)
@given(expressions(), moments)
def test_previous_undoes_next(expr: str, moment: datetime) -> None:
    try:
        schedule = cron(expr)
    except BadSchedule:
        reject()
    following = schedule.next(moment.replace(tzinfo=UTC))
    assert schedule.previous(following + SECOND) == following
    assert schedule.next(schedule.previous(following)) == following


def test_answers_are_plain_aware_utc_times_whatever_kind_of_time_is_given() -> None:
    schedule = cron("30 2 * * *", tz="Europe/Paris")
    moment = datetime(2025, 6, 1, 12, 0, 0, 250, tzinfo=UTC)
    kinds = [
        moment,
        moment.astimezone(ZoneInfo("Asia/Kathmandu")),
        moment.astimezone(timezone(timedelta(hours=-9, minutes=-30))),
        pendulum.instance(moment),
        pendulum.instance(moment).in_timezone("America/New_York"),
    ]

    for kind in kinds:
        for answer in (
            schedule.next(kind),
            schedule.previous(kind),
            next(iter(schedule.between(kind, pendulum.instance(moment).add(days=2)))),
        ):
            assert type(answer) is datetime
            assert answer.tzinfo is UTC
        assert schedule.next(kind) == at("2025-06-02 00:30")
        assert schedule.previous(kind) == at("2025-06-01 00:30")


def test_a_time_given_within_a_fold_is_the_pass_that_its_fold_says() -> None:
    paris = ZoneInfo("Europe/Paris")
    schedule = cron("*/30 * * * *", tz="Europe/Paris")
    first, second = (datetime(2025, 10, 26, 2, 15, tzinfo=paris, fold=fold) for fold in (0, 1))

    assert schedule.next(first) == at("2025-10-26 00:30")
    assert schedule.next(second) == at("2025-10-26 01:30")


def test_a_window_may_begin_and_end_within_a_fold_or_a_gap() -> None:
    paris = ZoneInfo("Europe/Paris")
    hourly = cron("0 * * * *")
    first, second = (datetime(2025, 10, 26, 2, 0, tzinfo=paris, fold=fold) for fold in (0, 1))
    skipped = datetime(2025, 3, 30, 2, 0, tzinfo=paris)

    assert list(hourly.between(first, second)) == [at("2025-10-26 01:00")]
    assert list(hourly.between(skipped - timedelta(hours=1), skipped)) == [at("2025-03-30 01:00")]


def test_a_window_without_a_time_zone_is_refused_before_it_is_walked() -> None:
    naive = datetime(2025, 1, 1)  # noqa: DTZ001
    for window in ((naive, at("2025-01-02")), (at("2025-01-01"), naive)):
        with pytest.raises(BadInput, match="has no time zone"):
            cron("@daily").between(*window)


def test_a_naive_time_is_refused_with_advice() -> None:
    naive = datetime(2025, 1, 1)  # noqa: DTZ001
    for ask in (cron("@daily").next, cron("@daily").previous, cron("@daily").validate):
        with pytest.raises(BadInput, match="has no time zone"):
            ask(naive)


def test_the_ends_of_time_are_refused_in_one_sentence() -> None:
    for schedule in (
        cron("@daily"),
        cron("0 0 29 2 *"),
        cron("@daily", "Europe/Paris"),
        cron("@daily", "Pacific/Apia"),
    ):
        with pytest.raises(BadSchedule, match="does not fire again after 9999"):
            schedule.next(datetime.max.replace(tzinfo=UTC))
        with pytest.raises(BadSchedule, match="does not fire before 0001"):
            schedule.previous(datetime.min.replace(tzinfo=UTC))


def test_schedules_are_values() -> None:
    schedule = cron("0  8 * *\tmon", tz="Europe/Paris")

    assert schedule == cron(" 0 8 * * mon ", "Europe/Paris")
    assert schedule != cron("0 8 * * mon")
    assert schedule != cron("0 8 * * 1", "Europe/Paris")
    assert len({schedule, cron("0 8 * * mon", "Europe/Paris"), cron("0 8 * * mon")}) == 2
    assert (schedule.expr, schedule.tz) == ("0 8 * * mon", "Europe/Paris")
    assert cron("@Daily").expr == "@daily"
    assert cron("@daily").tz == "UTC"
    with pytest.raises(AttributeError):
        schedule.expr = "* * * * *"  # type: ignore[misc]


def test_schedules_can_be_copied_and_sent_to_other_processes() -> None:
    schedule = cron("30 2 * * *", tz="Europe/Paris")

    for twin in (copy.copy(schedule), copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin == schedule
        assert twin.next(at("2025-03-29 12:00")) == at("2025-03-30 01:00")


def test_the_text_of_a_schedule_names_its_zone_unless_that_is_utc() -> None:
    assert str(cron("0 8 * * *")) == "0 8 * * *"
    assert str(cron("0 8 * * *", "Europe/Paris")) == "0 8 * * * Europe/Paris"
    assert repr(cron("0 8 * * *")) == "Cron(expr='0 8 * * *', tz='UTC')"


def test_the_zone_etc_utc_is_as_good_as_utc() -> None:
    ours, theirs = cron("*/7 3 * * *", "Etc/UTC"), cron("*/7 3 * * *")
    window = (at("2025-01-01"), at("2025-02-01"))

    assert list(ours.between(*window)) == list(theirs.between(*window))


def test_a_cron_is_made_by_its_class_as_well() -> None:
    assert Cron("@hourly") == cron("@hourly")


def test_asking_a_schedule_does_not_change_what_it_answers() -> None:
    # Given one asked in many months, so that everything it remembers is filled
    schedule = cron("0 0 L * 1#1")
    window = (at("2000-01-01"), at("2030-01-01"))
    first = list(schedule.between(*window))

    assert list(cron("0 0 L * 1#1").between(*window)) == first
    assert all(earlier < later for earlier, later in pairwise(first))


def test_a_schedule_may_have_a_name_that_does_not_change_what_it_is() -> None:
    named = cron("0 8 * * *", name="report_daily")

    assert named == cron("0 8 * * *")
    assert [each.name for each in (named, copy.copy(named), cron("0 8 * * *"))] == ["report_daily"] * 2 + [
        None
    ]


@pytest.mark.parametrize("name", ["", "a:b", "-a", "a b", "a" * 64, 7])
def test_a_name_that_nobody_could_write_is_refused(name: Any) -> None:
    with pytest.raises(BadSchedule, match="cannot be named"):
        cron("0 8 * * *", name=name)
