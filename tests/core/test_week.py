"""The minutes in which schedules fall due, against the slots that they name one by one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.core.cron import cron
from callboard.core.week import minute_after, minutes_of, places
from helpers.cron_expressions import fields

#: Weeks without a change of the clock, with one in spring and with one in autumn.
STARTS = (
    datetime(2026, 7, 1, 10, 20, tzinfo=UTC),
    datetime(2026, 3, 25, 22, 3, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 47, tzinfo=UTC),
    datetime(2026, 10, 19, 0, 0, tzinfo=UTC),
)
ZONES = ("UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
DAYS = st.sampled_from(("* * *", "* * 1-5", "* * sun", "25 * *", "L * *"))


@settings(max_examples=80, deadline=None)
@given(fields("minute"), fields("hour"), DAYS, st.sampled_from(ZONES), st.sampled_from(STARTS))
def test_each_minute_with_a_slot_has_its_bit_and_no_other_has(
    minute: str, hour: str, day: str, tz: str, start: datetime
) -> None:
    schedule = cron(f"{minute} {hour} {day}", tz=tz)
    moment = timedelta(microseconds=1)

    slots = schedule.between(start - moment, start + timedelta(days=7) - moment)

    assert [minute_after(start, place) for place in places(minutes_of(schedule, start))] == list(slots)


def test_slots_by_the_second_share_the_bit_of_their_minute() -> None:
    start = STARTS[0]

    assert list(places(minutes_of(cron("*/20 30 10 * * *"), start, 30))) == [10]
    assert minutes_of(cron("0 0 1 1 *"), start) == 0
