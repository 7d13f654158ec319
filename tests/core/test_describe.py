"""Schedules in words."""

import pytest
from hypothesis import given, reject, settings

from callboard.core.cron import cron
from callboard.core.describe import describe
from callboard.core.errors import BadSchedule
from callboard.core.words import joined, ordinal, ranges, step_between, step_from_zero
from helpers.cron_expressions import expressions

WORDS = """
* * * * *                   | Every minute
*/1 * * * *                 | Every minute
*/5 * * * *                 | Every 5 minutes
0,30 * * * *                | Every 30 minutes
0 * * * *                   | Every hour
@hourly                     | Every hour
30 * * * *                  | At 30 minutes past the hour
1 * * * *                   | At 1 minute past the hour
5,20,50 * * * *             | At 5, 20 and 50 minutes past the hour
5/15 * * * *                | Every 15 minutes from 5 past the hour
5-59/10 * * * *             | Every 10 minutes from 5 past the hour
0-10 * * * *                | Every minute from 0 to 10 past the hour
*/7 * * * *                 | Every 7 minutes from 0 past the hour
0 */2 * * *                 | Every 2 hours
0 */6 * * *                 | Every 6 hours
15 */6 * * *                | At 00:15, 06:15, 12:15 and 18:15 every day
0 */5 * * *                 | At 00:00, 05:00, 10:00, 15:00 and 20:00 every day
0 */12 * * *                | At 00:00 and 12:00 every day
15 */2 * * *                | Every 2 hours from 00:15 to 22:15 every day
0 8 * * *                   | At 08:00 every day
@daily                      | At 00:00 every day
0 8,12,18 * * *             | At 08:00, 12:00 and 18:00 every day
10,20,40 5 * * *            | At 05:10, 05:20 and 05:40 every day
*/5 9 * * *                 | Every 5 minutes from 09:00 to 09:55 every day
0-20 9 * * *                | Every minute from 09:00 to 09:20 every day
0 9-17 * * *                | Every hour from 09:00 to 17:00 every day
0,30 9-17 * * 1-5           | Every 30 minutes from 09:00 to 17:30, Monday to Friday
*/15 9-17 * * mon-fri       | Every 15 minutes from 09:00 to 17:45, Monday to Friday
5,20 8-17 * * *             | At 5 and 20 minutes past the hour between 08:00 and 17:59 every day
*/10 8,12,18 * * *          | Every 10 minutes in the hours 08, 12 and 18 every day
*/7 */3 * * *               | Every 7 minutes from 0 past the hour in every 3rd hour

# Seconds
* * * * * *                 | Every second
*/30 * * * * *              | Every 30 seconds
15 * * * * *                | At 15 seconds past the minute
15 30 8 * * *               | At 08:30:15 every day
*/20 0 8 * * *              | At 08:00:00, 08:00:20 and 08:00:40 every day
*/10 * 2 * * *              | Every 10 seconds between 02:00 and 02:59 every day
*/20 */5 * * * *            | Every 20 seconds in every 5th minute
*/20 7 * * * *              | Every 20 seconds in minute 7 of the hour
0 */5 * * * *               | Every 5 minutes

# Days
0 0 * * 0                   | At 00:00 on Sunday
0 0 * * 7                   | At 00:00 on Sunday
0 0 * * sun                 | At 00:00 on Sunday
@weekly                     | At 00:00 on Sunday
0 0 * * */7                 | At 00:00 on Sunday
0 0 * * sat-sun             | At 00:00 on Saturday and Sunday
0 0 * * 1,3,5               | At 00:00 on Monday, Wednesday and Friday
0 0 * * 1,2,3,4,5           | At 00:00, Monday to Friday
0 8 * * 0-6                 | At 08:00 every day
0 0 1 * *                   | At 00:00 on day 1 of the month
@monthly                    | At 00:00 on day 1 of the month
0 0 1,15 * *                | At 00:00 on days 1 and 15 of the month
0 0 1-7 * *                 | At 00:00 on days 1 to 7 of the month
0 0 */2 * *                 | At 00:00 on every 2nd day of the month from day 1
0 0 5-25/5 * *              | At 00:00 on every 5th day of the month from day 5 to day 25
0 0 L * *                   | At 00:00 on the last day of the month
0 0 1,15,L * *              | At 00:00 on days 1, 15 and the last day of the month
0 0 LW * *                  | At 00:00 on the last weekday of the month
0 0 * * 5L                  | At 00:00 on the last Friday of the month
0 0 * * mon#2               | At 00:00 on the second Monday of the month
0 0 13 * 5                  | At 00:00 on day 13 of the month or on Friday
0 0 13 * mon-fri            | At 00:00 on day 13 of the month or Monday to Friday
0 0 */2 * mon               | At 00:00 on every 2nd day of the month from day 1 if that is Monday
0 0 1-7 * */7               | At 00:00 on days 1 to 7 of the month if that is Sunday
0 0 1-31 * mon              | At 00:00 every day
*/5 * * * 1                 | Every 5 minutes on Monday

# Months
0 0 1 1 *                   | At 00:00 on 1 January
@yearly                     | At 00:00 on 1 January
0 0 29 2 *                  | At 00:00 on 29 February
0 3 1 */3 *                 | At 03:00 on day 1 of January, April, July and October
0 0 1 5-8 *                 | At 00:00 on day 1 of the month from May to August
0 8 * 6 *                   | At 08:00 every day in June
0 8 * jun-aug *             | At 08:00 every day from June to August
0 8 * 6 mon                 | At 08:00 on Monday in June
*/5 * * 6 *                 | Every 5 minutes in June
*/5 * 3 6 *                 | Every 5 minutes on 3 June
0 8 13 6 fri                | At 08:00 on day 13 of the month or on Friday in June
"""

ROWS = [
    tuple(part.strip() for part in line.split("|")) for line in WORDS.splitlines() if line and line[0] != "#"
]


@pytest.mark.parametrize(("expr", "words"), ROWS)
def test_a_schedule_in_words(expr: str, words: str) -> None:
    assert describe(expr) == words


def test_the_zone_is_named_unless_it_is_utc() -> None:
    assert describe("0 8 * * *", "Europe/Paris") == "At 08:00 every day (Europe/Paris)"
    assert describe("0 8 * * *", "UTC") == describe("0 8 * * *") == "At 08:00 every day"


def test_a_bad_schedule_has_no_words() -> None:
    with pytest.raises(BadSchedule, match="The minute field"):
        describe("61 * * * *")
    with pytest.raises(BadSchedule, match="The time zone"):
        describe("* * * * *", "Mars")


@settings(deadline=None, max_examples=200)
@given(expressions())
def test_every_schedule_has_words_that_read_as_one_phrase(expr: str) -> None:
    try:
        cron(expr)
    except BadSchedule:
        reject()
    words = describe(expr)

    assert words.startswith(("Every ", "At "))
    assert words == " ".join(words.split())
    assert " ," not in words
    assert ",," not in words
    assert not words.endswith((",", " "))
    assert "None" not in words
    assert "*" not in words


@settings(deadline=None, max_examples=100)
@given(expressions(seconds=False))
def test_schedules_that_mean_the_same_read_the_same(expr: str) -> None:
    try:
        cron(expr)
    except BadSchedule:
        reject()
    assert describe(f"0 {expr}") == describe(expr)


def test_lists_are_joined_and_runs_of_three_are_shortened() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a", "b", "c"], "or") == "a, b or c"
    assert ranges([1, 2, 3, 5, 6, 8]) == ["1 to 3", "5", "6", "8"]
    assert ranges([]) == []
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd",
    ]  # fmt: skip


def test_steps_are_recognised() -> None:
    assert step_from_zero([0, 20, 40], 60) == 20
    assert step_from_zero([0, 20], 60) is None
    assert step_from_zero([0], 60) is None
    assert step_from_zero([5, 25, 45], 60) is None
    assert step_between([5, 25, 45]) == 20
    assert step_between([5, 25]) is None
    assert step_between([5, 25, 46]) is None
