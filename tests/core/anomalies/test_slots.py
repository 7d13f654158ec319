"""Runs under way for too long, slots that nobody decided, and more runs than were called for."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.core.anomalies import (
    Finding,
    Usual,
    grace,
    in_order,
    longest_ms,
    missed,
    running_long,
    too_often,
)

AT = datetime(2026, 1, 24, 8, 0, tzinfo=UTC)


def test_a_run_is_long_beyond_the_99th_and_twice_the_95th_percentile() -> None:
    usual = Usual(runs=20, p1_ms=100, p95_ms=1_000, p99_ms=1_500)
    wide = Usual(runs=20, p1_ms=100, p95_ms=1_000, p99_ms=9_000)

    assert (longest_ms(usual), longest_ms(wide)) == (2_000, 9_000)
    assert running_long(2_001, usual)
    assert not running_long(2_000, usual)
    assert not running_long(2_001, wide)
    assert not running_long(None, usual)
    assert not running_long(1e9, None)
    assert not running_long(1e9, Usual(runs=19, p1_ms=100, p95_ms=1_000, p99_ms=1_500))


@pytest.mark.parametrize(("lag_ms", "seconds"), [(None, 60), (500, 60), (20_000, 60), (40_000, 120)])
def test_a_slot_is_missed_after_a_minute_or_three_times_the_usual_lag(
    lag_ms: float | None, seconds: int
) -> None:
    assert grace(lag_ms) == timedelta(seconds=seconds)


def test_a_missed_slot_is_told_in_the_schedules_zone_with_those_before_it() -> None:
    slots = [AT - timedelta(minutes=5 * back) for back in range(3)]

    found = missed("mail", "mail/code:0", "Europe/Paris", slots, reason="no scheduler is alive")
    many = missed("mail", "mail/code:0", "UTC", slots, reason="why", more=True)

    assert found is not None
    assert many is not None
    assert (found.kind, found.severity) == ("missed", "critical")
    assert (found.slot, found.since) == (AT, slots[-1])
    assert found.evidence == (
        "The slot of mail/code:0 at Sat 24 Jan 09:00 (Europe/Paris) has not become anything, nor have 2"
        " before it: no scheduler is alive."
    )
    assert "nor have 2 or more before it" in many.evidence
    assert missed("mail", "mail/code:0", "UTC", [], reason="why") is None


def test_one_run_more_than_called_for_is_let_pass() -> None:
    begun = [AT] * 4
    since = AT - timedelta(hours=1)

    assert too_often("mail", begun, 3, since, AT) is None
    found = too_often("mail", begun, 2, since, AT)
    assert found is not None
    assert found.evidence == (
        "4 runs began within 1 h 00 min without anybody asking for them; the schedules call for 2."
    )


def test_critical_findings_come_first_and_then_the_latest() -> None:
    old, new = AT - timedelta(hours=2), AT
    found = [
        Finding("duration", "a", "", old),
        Finding("duration", "b", "", new),
        Finding("missed", "c", "", old, "critical"),
    ]

    assert [each.job for each in in_order(found)] == ["c", "b", "a"]
