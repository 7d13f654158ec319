"""What asking a schedule costs: a scheduler has thousands of them.

Limits are some five times what an idle machine takes, and time is that of the process, so that a busy machine
fails nothing.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from callboard.core.cron import cron
from callboard.core.describe import describe

#: Microseconds.
LIMIT = 100.0
NOW = datetime(2025, 3, 1, 9, 3, 7, tzinfo=UTC)

SCHEDULES = [
    "* * * * *",
    "*/5 * * * *",
    "*/30 * * * * *",
    "0 8 * * *",
    "30 2 * * 0",
    "0 0 L * *",
    "0 0 * * mon#2",
    "0 0 29 2 *",
    "0 0 29 2 1",
    "0 0 29 2 */7",
    "59 23 31 12 *",
]


def microseconds(call: Callable[[], object], times: int = 200) -> float:
    """What one call takes, in the best of a few rounds."""
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - start) / times * 1e6)
    return min(rounds)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "Africa/Casablanca", "Australia/Lord_Howe"])
@pytest.mark.parametrize("expr", SCHEDULES)
def test_next_takes_tens_of_microseconds(expr: str, zone: str) -> None:
    schedule = cron(expr, zone)

    assert microseconds(lambda: schedule.next(NOW)) < LIMIT


@pytest.mark.parametrize("expr", SCHEDULES)
def test_previous_takes_tens_of_microseconds(expr: str) -> None:
    schedule = cron(expr, "Europe/Paris")

    assert microseconds(lambda: schedule.previous(NOW)) < 2 * LIMIT


@pytest.mark.parametrize(
    ("expr", "moment"),
    [
        ("30 2 * * *", datetime(2025, 3, 30, 0, 30, tzinfo=UTC)),
        ("30 2 * * *", datetime(2025, 10, 26, 0, 45, tzinfo=UTC)),
        ("*/10 * * * *", datetime(2025, 10, 26, 0, 55, tzinfo=UTC)),
        ("* * * * *", datetime(2025, 3, 30, 0, 59, 30, tzinfo=UTC)),
    ],
)
def test_even_amidst_a_change_of_the_clock_it_takes_little_longer(expr: str, moment: datetime) -> None:
    schedule = cron(expr, "Europe/Paris")

    assert microseconds(lambda: schedule.next(moment)) < 4 * LIMIT


def test_an_expression_is_read_once() -> None:
    assert microseconds(lambda: cron("1,2,3 4-5 * jan mon-fri", "Europe/Paris")) < LIMIT / 5


def test_reading_a_new_expression_takes_less_than_a_millisecond() -> None:
    numbers = iter(range(1, 10_000))

    def read_another() -> None:
        number = next(numbers)
        cron(f"{number % 60} {number // 60 % 24} {number // 1440 + 1} * mon-fri")

    assert microseconds(read_another, times=50) < 1_000


def test_describing_takes_less_than_a_millisecond() -> None:
    assert microseconds(lambda: describe("*/15 9-17 1,15 * mon-fri", "Europe/Paris")) < 1_000
