"""Numbers, spans and moments in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callboard.core import display

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, "–"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (59_949, "59.9 s"),
        (59_990, "1 min 00 s"),
        (185_000, "3 min 05 s"),
        (7_800_000, "2 h 10 min"),
        (3_599_700, "1 h 00 min"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_a_span_is_said_in_the_units_that_matter(ms: float | None, said: str) -> None:
    assert display.span(ms) == said


def test_of_many_names_some_are_listed_and_the_others_counted() -> None:
    assert display.listed(["a", "b"], 2) == "a, b"
    assert display.listed(["a", "b", "c"], 2) == "a, b and 1 other"
    assert display.listed(list("abcd"), 2) == "a, b and 2 others"


@pytest.mark.parametrize(
    ("ms", "said"), [(7_400, "0:07"), (760_000, "12:40"), (3_723_000, "1:02:03"), (None, "–")]
)
def test_a_clock_counts_up_without_changing_its_shape(ms: float | None, said: str) -> None:
    assert display.clock(ms) == said


@pytest.mark.parametrize(
    ("rate", "said"),
    [(None, "–"), (100.0, "100%"), (99.99, "99.9%"), (99.94, "99.9%"), (0.0, "0%"), (94.96, "95%")],
)
def test_a_rate_is_never_rounded_up_to_a_hundred(rate: float | None, said: str) -> None:
    assert display.rate(rate) == said


@pytest.mark.parametrize(
    ("away", "said"),
    [(0, "now"), (59, "in 59 s"), (-61, "1 min ago"), (3_600, "in 1 h"), (-200_000, "2 d ago")],
)
def test_a_distance_names_the_largest_unit(away: int, said: str) -> None:
    assert display.distance(NOW + timedelta(seconds=away), NOW) == said


def test_counts_are_grouped_and_large_ones_shortened() -> None:
    assert [display.count(number) for number in (0, 1_247, 99_999, 123_456, 2_500_000)] == [
        "0",
        "1,247",
        "99,999",
        "123 k",
        "2.5 M",
    ]
    assert [display.many(1, "run"), display.many(3, "retry", "retries")] == ["1 run", "3 retries"]


def test_a_moment_is_told_in_the_viewers_zone_and_as_shortly_as_it_can_be() -> None:
    paris = ZoneInfo("Europe/Paris")

    assert display.moment(NOW, paris, NOW) == "13:00"
    assert display.moment(NOW + timedelta(seconds=5), paris, NOW) == "13:00:05"
    assert display.moment(NOW, paris, NOW, exact=True) == "13:00:00"
    assert display.moment(NOW - timedelta(days=2), paris, NOW) == "Fri 13:00"
    assert display.moment(NOW - timedelta(days=40), paris, NOW, exact=True) == "13 Oct 14:00:00"
    assert display.moment(NOW - timedelta(days=40), paris, NOW) == "13 Oct 14:00"
    assert display.moment(NOW - timedelta(days=400), paris, NOW) == "18 Oct 2025 14:00"


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../etc/passwd"])
def test_a_zone_that_is_not_known_is_utc(name: str | None) -> None:
    assert display.zone(name) == ZoneInfo("UTC")


def test_an_attempt_is_counted_against_the_most_only_where_there_is_one() -> None:
    assert display.attempt_of(2, 3) == "attempt 2 of 3"
    assert display.attempt_of(2, None) == "attempt 2"


def test_what_would_command_a_terminal_is_shown_and_does_not() -> None:
    said = "\x1b]0;mine\x07 \x1b[2J\x9b1m gone\r\x08 two\tcolumns\nand lines: é 漢 🙂"
    shown = display.printable(said)
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\r", "\x08"}
    assert shown.endswith(" two\tcolumns\nand lines: é 漢 🙂")
    assert len(shown) == len(said)


@pytest.mark.parametrize(
    ("rate", "shown"), [(0, "0"), (1 / 7, "0.14"), (1, "1"), (6.048, "6"), (9.96, "10"), (2880.2, "2,880")]
)
def test_how_often_a_day_is_told_in_few_digits(rate: float, shown: str) -> None:
    assert display.per_day(rate) == shown
