"""Our arithmetic against croniter's, which shares no code with it, over the years 2000 to 2040."""

# ruff: noqa: DTZ001 - croniter is asked about naive times, which is what a clock shows

from datetime import UTC, datetime, timedelta

import pytest
from croniter import CroniterBadDateError, CroniterError
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from callboard.core.cron import Cron, cron
from callboard.core.errors import BadSchedule
from helpers.cron_expressions import expressions, matches, moments, second_opinion

CALM = settings(deadline=None, max_examples=250)


def parsed(expr: str) -> Cron:
    """Ours; what we refuse must be what croniter finds no match for in a century."""
    refusal = ""
    try:
        return cron(expr)
    except BadSchedule as error:
        refusal = str(error)
    assert "can never fire" in refusal
    with pytest.raises(CroniterError):
        second_opinion(expr, datetime(2000, 1, 1)).get_next()
    return reject()


@CALM
@given(expressions(), moments)
@example("*/5 9 * * *", datetime(2025, 1, 1, 5, 3))
@example("0 0 29 2 *", datetime(2096, 3, 1))
@example("0 0 29 2 */7", datetime(2025, 1, 1))
@example("0 0 31 * 1", datetime(2025, 1, 31))
@example("0 0 13 * 5", datetime(2025, 1, 31))
@example("0 0 */2 * mon", datetime(2025, 1, 31))
@example("0 0 1-31 * mon", datetime(2025, 1, 31))
def test_the_next_slots_are_those_that_croniter_finds(expr: str, at: datetime) -> None:
    ours, theirs = parsed(expr), second_opinion(expr, at)
    slot = at.replace(tzinfo=UTC)
    for _ in range(5):
        slot = ours.next(slot)
        assert slot.replace(tzinfo=None) == theirs.get_next()


@CALM
@given(expressions(), moments)
@example("0 0 29 2 *", datetime(2104, 2, 28))
@example("0 0 29 2 */7", datetime(2025, 1, 1))
@example("59 23 31 12 *", datetime(2025, 1, 1))
def test_the_previous_slots_are_those_that_croniter_finds(expr: str, at: datetime) -> None:
    ours, theirs = parsed(expr), second_opinion(expr, at)
    slot = at.replace(tzinfo=UTC)
    for _ in range(5):
        slot = ours.previous(slot)
        assert slot.replace(tzinfo=None) == theirs.get_prev()


@settings(deadline=None, max_examples=60)
@given(expressions(seconds=False), moments, st.integers(0, 3 * 1440))
def test_a_window_holds_the_slots_after_its_start_up_to_and_including_its_end(
    expr: str, at: datetime, minutes: int
) -> None:
    ours = parsed(expr)
    start, end = at.replace(tzinfo=UTC), at.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    try:
        theirs = list(matches(expr, at + timedelta(seconds=1), at + timedelta(minutes=minutes)))
    except CroniterBadDateError:
        theirs = []
    assert [slot.replace(tzinfo=None) for slot in ours.between(start, end)] == theirs


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("0 0 L * *", "0 0 l * *"),
        ("30 6 1,15,L * *", "30 6 1,15,l * *"),
        ("0 0 * * 5L", "0 0 * * l5"),
        ("0 0 * * 0L", "0 0 * * l0"),
        ("0 0 * * 7L", "0 0 * * l7"),
        ("0 0 * * friL", "0 0 * * l5"),
        ("0 0 * * mon#2", "0 0 * * mon#2"),
        ("0 0 * * 0#5", "0 0 * * 0#5"),
        ("0 0 * 2 4#5", "0 0 * 2 4#5"),
        ("0 0 * * sat-sun", "0 0 * * sat-sun"),
        ("0 0 * * sun-tue", "0 0 * * sun-tue"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 * * fri-sun"),
    ],
)
def test_last_days_numbered_weekdays_and_all_names_of_sunday(ours: str, theirs: str) -> None:
    found = second_opinion(theirs, datetime(2000, 1, 1))
    slot = datetime(2000, 1, 1, tzinfo=UTC)
    end = datetime(2040, 12, 31, tzinfo=UTC)
    count = 0
    while (slot := cron(ours).next(slot)) < end:
        assert slot.replace(tzinfo=None) == found.get_next()
        count += 1
    assert count >= 1


def test_the_last_weekday_of_the_month_is_never_on_a_weekend() -> None:
    slots = list(
        cron("0 0 LW * *").between(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 1, tzinfo=UTC))
    )

    assert [slot.day for slot in slots] == [31, 28, 31, 30, 30, 30, 31, 29, 30, 31, 28, 31]
    assert all(slot.weekday() < 5 for slot in slots)
