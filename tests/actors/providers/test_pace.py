"""How long to wait before a call, and before the next one."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from callboard.actors.providers.pace import Pace, backoff_s, retry_after_s
from callboard.core.clock import EPOCH

NOW = EPOCH + timedelta(days=20_000)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        (" 1.5 ", 1.5),
        ("-5", 0.0),
        ("1e9", 3_600.0),
        ("inf", 3_600.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_service_may_ask_for_a_wait_in_seconds_or_by_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, lambda: NOW) == seconds


def test_waits_double_up_to_a_limit_and_chance_takes_off_up_to_a_half() -> None:
    assert [backoff_s(n, lambda: 0.0) for n in range(1, 8)] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert backoff_s(3, lambda: 1.0) == 0.5
    assert backoff_s(10_000, lambda: 0.0) == 8.0


def test_a_pace_lets_a_second_worth_through_at_once_and_the_rest_in_turn() -> None:
    clock = [100.0]
    pace = Pace(4.0, now=lambda: clock[0])

    assert [pace.wait_s() for _ in range(6)] == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5]

    # After a long rest it is no more than that
    clock[0] = 200.0
    assert [pace.wait_s() for _ in range(6)] == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5]
