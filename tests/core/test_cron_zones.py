"""The policy for changes of the clock, in tables written by hand: what a clock shows at each slot in turn."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from callboard.core.cron import cron
from callboard.core.errors import BadSchedule

SECOND = timedelta(seconds=1)

TABLES = """
# On 30 March 2025 in Paris, 02:00 becomes 03:00.
Europe/Paris | 30 2 * * *     | 2025-03-29T02:30+01:00 2025-03-30T03:00+02:00 2025-03-31T02:30+02:00
Europe/Paris | 0 30 2 * * *   | 2025-03-29T02:30+01:00 2025-03-30T03:00+02:00 2025-03-31T02:30+02:00
Europe/Paris | 0 2 * * *      | 2025-03-29T02:00+01:00 2025-03-30T03:00+02:00 2025-03-31T02:00+02:00
Europe/Paris | 0 3 * * *      | 2025-03-29T03:00+01:00 2025-03-30T03:00+02:00 2025-03-31T03:00+02:00
Europe/Paris | 0,30 2 * * *   | 2025-03-29T02:30+01:00 2025-03-30T03:00+02:00 2025-03-31T02:00+02:00
Europe/Paris | 0 2,3 * * *    | 2025-03-29T03:00+01:00 2025-03-30T03:00+02:00 2025-03-31T02:00+02:00
Europe/Paris | 30 2,3 * * *   | 2025-03-29T03:30+01:00 2025-03-30T03:00+02:00 2025-03-30T03:30+02:00
Europe/Paris | 0 * * * *      | 2025-03-30T01:00+01:00 2025-03-30T03:00+02:00 2025-03-30T04:00+02:00
Europe/Paris | 30 * * * *     | 2025-03-30T01:30+01:00 2025-03-30T03:30+02:00 2025-03-30T04:30+02:00
Europe/Paris | 0 0-23 * * *   | 2025-03-30T01:00+01:00 2025-03-30T03:00+02:00 2025-03-30T04:00+02:00
Europe/Paris | */10 * * * *   | 2025-03-30T01:50+01:00 2025-03-30T03:00+02:00 2025-03-30T03:10+02:00
Europe/Paris | * * * * *      | 2025-03-30T01:59+01:00 2025-03-30T03:00+02:00 2025-03-30T03:01+02:00
Europe/Paris | */30 * * * * * | 2025-03-30T01:59:30+01:00 2025-03-30T03:00:00+02:00 2025-03-30T03:00:30+02:00
Europe/Paris | */10 2 * * *   | 2025-03-29T02:50+01:00 2025-03-30T03:00+02:00 2025-03-31T02:00+02:00
Europe/Paris | */10 1-2 * * * | 2025-03-30T01:50+01:00 2025-03-30T03:00+02:00 2025-03-31T01:00+02:00
Europe/Paris | 0 */2 * * *    | 2025-03-30T00:00+01:00 2025-03-30T03:00+02:00 2025-03-30T04:00+02:00
Europe/Paris | 30 2 * * sun   | 2025-03-23T02:30+01:00 2025-03-30T03:00+02:00 2025-04-06T02:30+02:00
Europe/Paris | 30 2 30 3 *    | 2024-03-30T02:30+01:00 2025-03-30T03:00+02:00 2026-03-30T02:30+02:00

# On 26 October 2025 in Paris, 03:00 becomes 02:00.
Europe/Paris | 30 2 * * *     | 2025-10-25T02:30+02:00 2025-10-26T02:30+02:00 2025-10-27T02:30+01:00
Europe/Paris | 0 30 2 * * *   | 2025-10-25T02:30+02:00 2025-10-26T02:30+02:00 2025-10-27T02:30+01:00
Europe/Paris | 0 3 * * *      | 2025-10-25T03:00+02:00 2025-10-26T03:00+01:00 2025-10-27T03:00+01:00
Europe/Paris | 0,30 2 * * *   | 2025-10-26T02:00+02:00 2025-10-26T02:30+02:00 2025-10-27T02:00+01:00
Europe/Paris | 30 2,3 * * *   | 2025-10-26T02:30+02:00 2025-10-26T03:30+01:00 2025-10-27T02:30+01:00
Europe/Paris | 0 * * * *      | 2025-10-26T02:00+02:00 2025-10-26T02:00+01:00 2025-10-26T03:00+01:00
Europe/Paris | 30 * * * *     | 2025-10-26T02:30+02:00 2025-10-26T02:30+01:00 2025-10-26T03:30+01:00
Europe/Paris | */30 * * * *   | 2025-10-26T02:30+02:00 2025-10-26T02:00+01:00 2025-10-26T02:30+01:00
Europe/Paris | * * * * *      | 2025-10-26T02:59+02:00 2025-10-26T02:00+01:00 2025-10-26T02:01+01:00
Europe/Paris | */30 * * * * * | 2025-10-26T02:59:30+02:00 2025-10-26T02:00:00+01:00 2025-10-26T02:00:30+01:00
Europe/Paris | */30 2 * * *   | 2025-10-26T02:30+02:00 2025-10-26T02:00+01:00 2025-10-26T02:30+01:00
Europe/Paris | */60 2 * * *   | 2025-10-25T02:00+02:00 2025-10-26T02:00+02:00 2025-10-27T02:00+01:00
Europe/Paris | 0 */2 * * *    | 2025-10-26T00:00+02:00 2025-10-26T02:00+02:00 2025-10-26T04:00+01:00
Europe/Paris | */20 0 2 * * * | 2025-10-26T02:00:20+02:00 2025-10-26T02:00:40+02:00 2025-10-27T02:00:00+01:00

# In New York 02:00 becomes 03:00 on 9 March 2025, and 02:00 becomes 01:00 on 2 November.
America/New_York | 30 2 * * * | 2025-03-08T02:30-05:00 2025-03-09T03:00-04:00 2025-03-10T02:30-04:00
America/New_York | 0 * * * *  | 2025-03-09T01:00-05:00 2025-03-09T03:00-04:00 2025-03-09T04:00-04:00
America/New_York | 30 1 * * * | 2025-11-01T01:30-04:00 2025-11-02T01:30-04:00 2025-11-03T01:30-05:00
America/New_York | 30 2 * * * | 2025-11-01T02:30-04:00 2025-11-02T02:30-05:00 2025-11-03T02:30-05:00
America/New_York | 0 * * * *  | 2025-11-02T01:00-04:00 2025-11-02T01:00-05:00 2025-11-02T02:00-05:00

# On Lord Howe Island it moves by half an hour: back on 6 April 2025, forward on 5 October, both at 02:00.
Australia/Lord_Howe | 45 1 * * *   | 2025-04-05T01:45+11:00 2025-04-06T01:45+11:00 2025-04-07T01:45+10:30
Australia/Lord_Howe | 30 1 * * *   | 2025-04-05T01:30+11:00 2025-04-06T01:30+11:00 2025-04-07T01:30+10:30
Australia/Lord_Howe | 0 2 * * *    | 2025-04-05T02:00+11:00 2025-04-06T02:00+10:30 2025-04-07T02:00+10:30
Australia/Lord_Howe | */10 * * * * | 2025-04-06T01:50+11:00 2025-04-06T01:30+10:30 2025-04-06T01:40+10:30
Australia/Lord_Howe | 15 2 * * *   | 2025-10-04T02:15+10:30 2025-10-05T02:30+11:00 2025-10-06T02:15+11:00
Australia/Lord_Howe | 30 2 * * *   | 2025-10-04T02:30+10:30 2025-10-05T02:30+11:00 2025-10-06T02:30+11:00
Australia/Lord_Howe | */10 * * * * | 2025-10-05T01:50+10:30 2025-10-05T02:30+11:00 2025-10-05T02:40+11:00
Australia/Lord_Howe | 0 * * * *    | 2025-10-05T01:00+10:30 2025-10-05T03:00+11:00 2025-10-05T04:00+11:00

# In São Paulo midnight became 01:00 on 4 November 2018, and 23:00 of the day before on 18 February.
America/Sao_Paulo | 0 0 * * *   | 2018-11-03T00:00-03:00 2018-11-04T01:00-02:00 2018-11-05T00:00-02:00
America/Sao_Paulo | 0 0 * * sun | 2018-10-28T00:00-03:00 2018-11-04T01:00-02:00 2018-11-11T00:00-02:00
America/Sao_Paulo | 0 */4 * * * | 2018-11-03T20:00-03:00 2018-11-04T01:00-02:00 2018-11-04T04:00-02:00
America/Sao_Paulo | 30 23 * * * | 2018-02-16T23:30-02:00 2018-02-17T23:30-02:00 2018-02-18T23:30-03:00
America/Sao_Paulo | 0 0 * * *   | 2018-02-17T00:00-02:00 2018-02-18T00:00-03:00 2018-02-19T00:00-03:00
America/Sao_Paulo | 0 * * * sat | 2018-02-17T23:00-02:00 2018-02-17T23:00-03:00 2018-02-24T00:00-03:00

# In Morocco the winter lasts as long as Ramadan: from 23 February 2025, 03:00, to 6 April, 02:00.
Africa/Casablanca | 30 2 * * * | 2025-02-22T02:30+01:00 2025-02-23T02:30+01:00 2025-02-24T02:30+00:00
Africa/Casablanca | 30 2 * * * | 2025-04-05T02:30+00:00 2025-04-06T03:00+01:00 2025-04-07T02:30+01:00
Africa/Casablanca | 0 * * * *  | 2025-02-23T02:00+01:00 2025-02-23T02:00+00:00 2025-02-23T03:00+00:00

# In Iran midnight became 01:00 on 22 March 2022, and 23:00 of the day before on 22 September.
Asia/Tehran | 30 0 * * *  | 2022-03-21T00:30+03:30 2022-03-22T01:00+04:30 2022-03-23T00:30+04:30
Asia/Tehran | 30 23 * * * | 2022-09-20T23:30+04:30 2022-09-21T23:30+04:30 2022-09-22T23:30+03:30
Asia/Tehran | 30 0 * * *  | 2023-03-21T00:30+03:30 2023-03-22T00:30+03:30 2023-03-23T00:30+03:30

# Samoa had no 30 December 2011.
Pacific/Apia | 0 12 * * *      | 2011-12-29T12:00-10:00 2011-12-31T00:00+14:00 2011-12-31T12:00+14:00
Pacific/Apia | 0 0 * * *       | 2011-12-29T00:00-10:00 2011-12-31T00:00+14:00 2012-01-01T00:00+14:00
Pacific/Apia | 0 * * * *       | 2011-12-29T23:00-10:00 2011-12-31T00:00+14:00 2011-12-31T01:00+14:00
Pacific/Apia | 0 9 30 12 *     | 2010-12-30T09:00-10:00 2011-12-31T00:00+14:00 2012-12-30T09:00+14:00
Pacific/Apia | 30 * 30 12 *    | 2010-12-30T23:30-10:00 2011-12-31T00:00+14:00 2012-12-30T00:30+14:00
Pacific/Apia | */10 9-17 * * * | 2011-12-29T17:50-10:00 2011-12-31T00:00+14:00 2011-12-31T09:00+14:00

# In Greenland 23:00 becomes midnight on 30 March 2024, and midnight becomes 23:00 on 27 October.
America/Nuuk | 30 23 * * * | 2024-03-29T23:30-02:00 2024-03-31T00:00-01:00 2024-03-31T23:30-01:00
America/Nuuk | 30 23 * * * | 2024-10-25T23:30-01:00 2024-10-26T23:30-01:00 2024-10-27T23:30-02:00

# Quarters of an hour, halves, two hours at once.
Pacific/Chatham  | 0 3 * * *    | 2025-09-27T03:00+12:45 2025-09-28T03:45+13:45 2025-09-29T03:00+13:45
America/Caracas  | 45 2 * * *   | 2016-04-30T02:45-04:30 2016-05-01T03:00-04:00 2016-05-02T02:45-04:00
Asia/Pyongyang   | 45 23 * * *  | 2018-05-03T23:45+08:30 2018-05-05T00:00+09:00 2018-05-05T23:45+09:00
Antarctica/Troll | 30 1,2 * * * | 2025-03-29T02:30+00:00 2025-03-30T03:00+02:00 2025-03-31T01:30+02:00
Antarctica/Troll | 30 1,2 * * * | 2025-10-26T01:30+02:00 2025-10-26T02:30+02:00 2025-10-27T01:30+00:00

# No change at all.
Asia/Kolkata | 30 2 * * * | 2025-03-29T02:30+05:30 2025-03-30T02:30+05:30 2025-03-31T02:30+05:30
"""

ROWS = [
    tuple(part.strip() for part in line.split("|")) for line in TABLES.splitlines() if line and line[0] != "#"
]

#: Where clocks change by whole hours.
BY_HOURS = (
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Pacific/Auckland",
    "America/Nuuk",
    "America/Havana",
)


@pytest.mark.parametrize(("zone", "expr", "table"), ROWS)
def test_slots_around_a_change_are_those_of_the_table(zone: str, expr: str, table: str) -> None:
    expected = [datetime.fromisoformat(cell) for cell in table.split()]

    ours = cron(expr, zone)
    found = list(ours.between(expected[0] - SECOND, expected[-1]))

    tz = ZoneInfo(zone)
    assert [slot.astimezone(tz).isoformat() for slot in found] == [slot.isoformat() for slot in expected]
    assert all(slot.utcoffset() == timedelta(0) for slot in found)
    # The table also holds read backwards, and from every moment at which the clock is odd.
    assert [ours.previous(slot) for slot in found[1:]] == found[:-1]
    for earlier, later in pairwise(found):
        for moment in (earlier + SECOND / 2, later - SECOND / 2):
            assert ours.next(moment) == later
            assert ours.previous(moment) == earlier


#: A zone and two months in which its clocks are put forward or back, or both.
SEASONS = [
    ("Europe/Paris", "2018-03-01", "2018-04-30"),
    ("America/New_York", "2018-10-01", "2018-11-30"),
    ("Australia/Lord_Howe", "2018-03-01", "2018-04-30"),
    ("Australia/Lord_Howe", "2018-09-15", "2018-10-31"),
    ("Pacific/Chatham", "2018-03-01", "2018-04-30"),
    ("Africa/Casablanca", "2018-05-01", "2018-06-30"),
    ("Asia/Tehran", "2018-09-01", "2018-09-30"),
    ("Pacific/Apia", "2011-12-01", "2012-01-31"),
]


@pytest.mark.parametrize(("zone", "first", "last"), SEASONS)
def test_every_ten_minutes_is_every_ten_real_minutes(zone: str, first: str, last: str) -> None:
    start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))

    slots = list(cron("*/10 * * * *", zone).between(start, end))

    assert len({slot.astimezone(ZoneInfo(zone)).utcoffset() for slot in slots}) > 1
    assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(minutes=10)}
    assert len(slots) == (end - start) // timedelta(minutes=10)


@pytest.mark.parametrize("zone", [*BY_HOURS, "Pacific/Apia"])
def test_hourly_is_every_real_hour(zone: str) -> None:
    start, end = datetime(2011, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC)

    slots = list(cron("0 * * * *", zone).between(start, end))

    assert len({slot.astimezone(ZoneInfo(zone)).utcoffset() for slot in slots}) > 1
    assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(hours=1)}
    assert len(slots) == (end - start) // timedelta(hours=1)


@pytest.mark.parametrize(
    ("expr", "first", "last"),
    [
        ("30 2 * * *", date(2000, 1, 1), date(2041, 1, 1)),
        ("0 0 * * *", date(2000, 1, 1), date(2041, 1, 1)),
        ("59 23 * * *", date(2010, 1, 1), date(2020, 1, 1)),
        ("30 0,1,2,3,23 * * *", date(2016, 1, 1), date(2020, 1, 1)),
    ],
)
@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Antarctica/Troll"]
)
def test_a_time_of_day_runs_exactly_once_on_each_day(zone: str, expr: str, first: date, last: date) -> None:
    # Given whole days in that zone, from midnight to midnight
    tz = ZoneInfo(zone)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=tz) - SECOND for day in (first, last))

    slots = list(cron(expr, zone).between(start, end))

    # Expect as many slots as named times, but for those that fell into one gap and run together
    named = len(expr.split()[1].split(",")) * (last - first).days
    together = sum(_named_times_in_one_gap(slot.astimezone(tz), expr) for slot in slots)
    assert len(slots) + together == named
    assert len(set(slots)) == len(slots)


def _named_times_in_one_gap(slot: datetime, expr: str) -> int:
    """How many of the named times, beyond the first, were swallowed by a gap that ends at this slot."""
    minute, hours, *_ = expr.split()
    before = (slot.astimezone(UTC) - SECOND).astimezone(slot.tzinfo).replace(tzinfo=None)
    lost = slot.replace(tzinfo=None) - before - SECOND
    if lost <= timedelta(0):
        return 0
    readings = (
        slot.replace(tzinfo=None) - timedelta(minutes=n) for n in range(lost // timedelta(minutes=1) + 1)
    )
    times = {(int(hour), int(minute)) for hour in hours.split(",")}
    return max(sum((reading.hour, reading.minute) in times for reading in readings) - 1, 0)


def test_a_schedule_of_every_zone_of_the_world_can_be_asked() -> None:
    after = datetime(2025, 6, 1, tzinfo=UTC)
    for zone in ("UTC", "Etc/GMT+5", "EST5EDT", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"):
        assert cron("0 0 * * *", zone).next(after) - after <= timedelta(days=1)


@pytest.mark.parametrize(
    "name",
    [
        "Mars",
        "Europe",
        "Europe/Nowhere",
        "",
        " ",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe/../Paris",
        "\0",
        "x" * 10_000,
        "Europe/Paris\n",
        "Europe/Párís",
        "+02:00",
        "tzdata.zi",
        "zone.tab",
    ],
)
def test_an_unknown_time_zone_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(
        BadSchedule, match=r"^The time zone .* is unknown; write an IANA name such as Europe/Paris\.$"
    ):
        cron("* * * * *", name)


def test_a_time_zone_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSchedule, match="A time zone is a name such as Europe/Paris, not of type int"):
        cron("* * * * *", 5)  # type: ignore[arg-type]
