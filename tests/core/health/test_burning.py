"""When a job uses up what its objective allows."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Tally, burn_alarms
from callboard.core.health.burning import DAYS_3, HOUR, HOURS_6, MIN_5, MIN_30, RULES, burning


@pytest.mark.parametrize(
    ("windows", "severity"),
    [
        ({HOUR: (100, 72), MIN_5: (10, 8)}, "critical"),
        ({HOUR: (100, 72), MIN_5: (10, 7)}, None),
        ({HOUR: (9, 9), MIN_5: (9, 9)}, None),
        ({HOURS_6: (100, 30), MIN_30: (10, 3)}, "critical"),
        ({DAYS_3: (100, 6), HOURS_6: (10, 1)}, "warning"),
        ({DAYS_3: (100, 5), HOURS_6: (20, 1)}, None),
        ({}, None),
    ],
)
def test_it_takes_both_windows_and_ten_runs(
    windows: dict[timedelta, tuple[int, int]], severity: str | None
) -> None:
    found = burning({length: Tally(*counts) for length, counts in windows.items()}, 0.95)

    assert (found.rule.severity if found else None) == severity


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.floats(0.01, 0.99))
def test_who_keeps_the_objective_in_every_window_is_never_told_of(
    finished: int, failed: int, objective: float
) -> None:
    allowed = int(finished * (1 - objective))
    tally = Tally(finished, min(failed, allowed))

    assert burning(dict.fromkeys((MIN_5, MIN_30, HOUR, HOURS_6, DAYS_3), tally), objective) is None


def test_the_alarm_names_both_windows() -> None:
    tallies = {DAYS_3: Tally(100, 12), HOURS_6: Tally(20, 3)}

    (alarm,) = burn_alarms({"sync": tallies, "idle": {}}, 0.95)

    assert (alarm.kind, alarm.subject, alarm.severity) == ("burn_rate", "sync", "warning")
    assert alarm.message == (
        "sync fails 2.4 times as often as its objective of 95% allows: 12 of 100 runs in the last 3 d,"
        " 3 of 20 in the last 6 h."
    )
    assert [rule.rate for rule in RULES] == [14.4, 6.0, 1.0]
