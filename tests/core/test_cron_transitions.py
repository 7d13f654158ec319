"""Schedules where clocks change: every kind of change that the world has between 2000 and 2040.

What is expected comes from the definition, by watching the zone's clock minute by minute
(`helpers.zone_changes`); what matches on the clock comes from croniter, or is plain to see.
"""

# ruff: noqa: DTZ001 - croniter is asked about naive times, which is what a clock shows

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from callboard.core.cron import cron
from callboard.core.errors import BadSchedule
from helpers.cron_expressions import expressions, matches, second_opinion
from helpers.zone_changes import ZoneChange, changes, kinds, slots_by_definition, zones

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

#: A zone of every rule for the change of clocks, and of every country that moved its clock by itself, so that
#: each kind of change (time of day, size) that occurs anywhere between 2000 and 2040 occurs here.
RULES = (
    "Europe/Paris",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Asuncion",
    "America/Caracas",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "America/Nuuk",
    "Europe/Moscow",
    "Pacific/Apia",
    "America/Havana",
    "America/Mexico_City",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Antarctica/Davis",
    "Africa/Juba",
    "Africa/Sao_Tome",
    "America/Bahia_Banderas",
    "Asia/Baghdad",
    "Asia/Baku",
    "Asia/Bishkek",
    "Asia/Colombo",
    "Asia/Pyongyang",
    "Pacific/Easter",
)

#: (expression, what matches, whether its minutes, whether its hours are wild)
PLAIN: list[tuple[str, Callable[[datetime], bool], bool, bool]] = [
    ("30 2 * * *", lambda at: (at.hour, at.minute) == (2, 30), False, False),
    ("0 2 * * *", lambda at: (at.hour, at.minute) == (2, 0), False, False),
    ("0 0 * * *", lambda at: (at.hour, at.minute) == (0, 0), False, False),
    ("15 0,1,2,3,23 * * *", lambda at: at.hour in (0, 1, 2, 3, 23) and at.minute == 15, False, False),
    ("59 23 * * *", lambda at: (at.hour, at.minute) == (23, 59), False, False),
    ("0,40 1-3 * * *", lambda at: at.hour in (1, 2, 3) and at.minute in (0, 40), False, False),
    ("0 * * * *", lambda at: at.minute == 0, False, True),
    ("30 * * * *", lambda at: at.minute == 30, False, True),
    ("*/10 * * * *", lambda at: at.minute % 10 == 0, True, True),
    ("*/20 * * * *", lambda at: at.minute % 20 == 0, True, True),
    ("* * * * *", lambda at: True, True, True),
    ("*/10 2 * * *", lambda at: at.hour == 2 and at.minute % 10 == 0, True, False),
    ("*/30 0-4 * * *", lambda at: at.hour < 5 and at.minute % 30 == 0, True, False),
    ("0 */2 * * *", lambda at: at.hour % 2 == 0 and at.minute == 0, False, False),
    ("45 */3 * * *", lambda at: at.hour % 3 == 0 and at.minute == 45, False, False),
    ("0 9 1 * *", lambda at: (at.day, at.hour, at.minute) == (1, 9, 0), False, False),
    ("30 2 * * 0", lambda at: (at.isoweekday(), at.hour, at.minute) == (7, 2, 30), False, False),
]

EVERY_KIND = kinds(RULES)


def check(expr: str, zone: str, start: datetime, end: datetime, expected: list[datetime]) -> None:
    """Forwards, backwards, from between the slots, and slot by slot: always the same slots."""
    ours = cron(expr, zone)
    assert list(ours.between(start - timedelta(seconds=1), end)) == expected
    backwards = []
    slot = ours.previous(end + timedelta(seconds=1))
    while slot >= start:
        backwards.append(slot)
        slot = ours.previous(slot)
    assert backwards[::-1] == expected
    for earlier, later in pairwise(expected[:200]):
        middle = earlier + (later - earlier) / 2
        assert ours.next(middle) == later
        assert ours.previous(middle) == earlier
    assert all(ours.validate(slot) for slot in expected[:200])


def check_plain_schedules(change: ZoneChange) -> None:
    start, end = change.at - 4 * HOUR, change.at + 4 * HOUR
    for expr, does_match, every_minute, every_hour in PLAIN:
        expected = slots_by_definition(
            does_match, change.zone, start, end, every_minute=every_minute, every_hour=every_hour
        )
        check(expr, change.zone, start, end, expected)


@pytest.mark.parametrize(
    "change", EVERY_KIND.values(), ids=lambda change: f"{change.zone} {change.at:%F %R}".replace("/", " ")
)
def test_schedules_at_every_kind_of_change(change: ZoneChange) -> None:
    check_plain_schedules(change)


def test_schedules_at_kinds_of_change_that_time_zone_data_newer_than_this_test_may_bring() -> None:
    everywhere = kinds(zones())
    assert everywhere.keys() >= EVERY_KIND.keys()
    for kind in everywhere.keys() - EVERY_KIND.keys():
        check_plain_schedules(everywhere[kind])


@settings(deadline=None, max_examples=100)
@given(expressions(seconds=False), st.sampled_from(RULES), st.data())
def test_any_schedule_where_clocks_change(expr: str, zone: str, data: st.DataObject) -> None:
    change = data.draw(st.sampled_from(changes(zone)))
    try:
        cron(expr)
    except BadSchedule:
        reject()
    start, end = change.at - 5 * HOUR, change.at + 5 * HOUR
    shown = set(matches(expr, change.shown - 9 * HOUR, change.shown + max(change.shift, 0 * HOUR) + 7 * HOUR))
    minutes, hours, *_ = croniter.expand(expr)[0]
    expected = slots_by_definition(
        shown.__contains__,
        zone,
        start,
        end,
        every_minute=minutes == ["*"] or (expr.startswith("*") and len(minutes) > 1),
        every_hour=hours == ["*"] or len(hours) == 24,
    )
    check(expr, zone, start, end, expected)


@settings(deadline=None, max_examples=200)
@given(
    expressions(),
    st.sampled_from(zones()),
    st.datetimes(datetime(2000, 1, 2), datetime(2040, 12, 30)).map(lambda at: at.replace(microsecond=0)),
)
def test_between_changes_a_zone_is_only_an_offset(expr: str, zone: str, at: datetime) -> None:
    tz = ZoneInfo(zone)
    try:
        ours = cron(expr, zone)
    except BadSchedule:
        reject()
    after = at.replace(tzinfo=UTC)
    shown = after.astimezone(tz)
    theirs = second_opinion(expr, shown.replace(tzinfo=None)).get_next()
    around = {
        moment.astimezone(tz).utcoffset()
        for near in (shown, theirs.replace(tzinfo=tz))
        for moment in (near - DAY, near, near + DAY)
    }
    if len(around) > 1:
        reject()
    (offset,) = around
    assert offset is not None
    assert ours.next(after) == (theirs - offset).replace(tzinfo=UTC)
    assert ours.previous(ours.next(after) + timedelta(seconds=1)) == ours.next(after)
