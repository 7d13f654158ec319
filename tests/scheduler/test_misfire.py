"""What becomes of slots that are claimed late, under each policy."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.core.cron import cron
from callboard.core.states import Disposition
from callboard.scheduler.misfire import MOST, MOST_LATE, Policy, settle

NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def counts(expr, policy, down, now=NOW):
    return Counter(slot.disposition for slot in settle(cron(expr), policy, now - down, now))


def test_a_slot_claimed_within_the_grace_is_fired():
    (slot,) = settle(cron("0 * * * *"), Policy(grace_ms=60_000), NOW - timedelta(minutes=30), NOW)
    assert (slot.due_at, slot.disposition, slot.reason) == (NOW, Disposition.FIRED, "on time")


def test_a_slot_claimed_late_but_within_the_grace_says_how_late():
    now = NOW + timedelta(seconds=42)
    (slot,) = settle(cron("0 * * * *"), Policy("skip", grace_ms=60_000), NOW - timedelta(minutes=30), now)
    assert slot.disposition is Disposition.FIRED
    assert slot.reason == "42 s late, within its grace of 60 s"


def test_a_slot_as_old_as_the_grace_is_still_fired_and_one_older_by_a_millisecond_is_not():
    policy = Policy("skip", grace_ms=5_000)
    at_the_edge = settle(cron("0 * * * *"), policy, NOW - timedelta(1), NOW + timedelta(seconds=5))[-1]
    beyond = settle(cron("0 * * * *"), policy, NOW - timedelta(1), NOW + timedelta(milliseconds=5_001))[-1]
    assert (at_the_edge.disposition, beyond.disposition) == (Disposition.FIRED, Disposition.MISSED)


def test_whatever_the_grace_a_slot_is_on_time_for_a_second():
    slots = settle(
        cron("0 * * * *"), Policy("skip", grace_ms=0), NOW - timedelta(1), NOW + timedelta(seconds=1)
    )
    assert slots[-1].disposition is Disposition.FIRED
    assert slots[-1].reason == "on time"


def test_a_short_pause_of_a_schedule_that_fires_each_second_loses_nothing():
    assert counts("* * * * * *", Policy("skip", grace_ms=60_000), timedelta(seconds=20)) == {"fired": 20}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy("skip"), {"missed": 59, "fired": 1}),
        (Policy("run_once"), {"coalesced": 59, "fired": 1}),
        (Policy("run_all", limit=10), {"late": 10, "missed": 49, "fired": 1}),
        (Policy("run_all", limit=100), {"late": 59, "fired": 1}),
        (Policy("run_all", limit=0), {"missed": 59, "fired": 1}),
    ],
)
def test_an_hour_down_on_a_schedule_that_fires_each_minute(policy, expected):
    # The grace of 59 s takes in the slot of this very minute and no other.
    policy = Policy(policy.misfire, policy.limit, grace_ms=59_000)
    assert counts("* * * * *", policy, timedelta(hours=1)) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy("skip"), {"missed": 24}),
        (Policy("run_once"), {"coalesced": 23, "late": 1}),
        (Policy("run_all", limit=5), {"late": 5, "missed": 19}),
        (Policy("run_all", limit=100), {"late": 24}),
    ],
)
def test_a_day_down_on_an_hourly_schedule_found_half_an_hour_after_a_slot(policy, expected):
    assert counts("0 * * * *", policy, timedelta(days=1), NOW + timedelta(minutes=30)) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy("skip"), {"missed": 30}),
        (Policy("run_once"), {"coalesced": 29, "late": 1}),
        (Policy("run_all", limit=100), {"late": 30}),
    ],
)
def test_thirty_days_down_on_a_daily_schedule(policy, expected):
    assert counts("0 8 * * *", policy, timedelta(days=30)) == expected


def test_run_once_runs_the_newest_slot_and_says_so_with_the_others():
    slots = settle(
        cron("0 * * * *"), Policy("run_once"), NOW - timedelta(hours=3), NOW + timedelta(minutes=30)
    )
    assert [slot.runs for slot in slots] == [False, False, True]
    assert slots[-1].reason == "30 min late, and the newest of 3 missed slots"
    assert slots[0].reason == "the run of the slot of 2026-03-04 12:00:00 UTC stands for it"


def test_run_all_runs_the_oldest_first():
    slots = settle(
        cron("0 * * * *"), Policy("run_all", 2), NOW - timedelta(hours=5), NOW + timedelta(minutes=30)
    )
    assert [slot.disposition.value for slot in slots] == ["late", "late", "missed", "missed", "missed"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy("skip", grace_ms=500), {"missed": MOST - 1, "fired": 2}),
        (Policy("run_once", grace_ms=500), {"coalesced": MOST - 1, "fired": 2}),
        (Policy("run_all", 100, 500), {"late": 100, "missed": MOST - 1, "fired": 2}),
        (Policy("run_all", 10**9, 500), {"late": MOST_LATE, "missed": MOST - 1, "fired": 2}),
        (Policy("skip", grace_ms=40 * 86_400_000), {"missed": 1, "fired": MOST}),
    ],
)
def test_thirty_days_down_on_a_schedule_that_fires_each_second_stays_small(policy, expected):
    # 2,592,000 slots: the newest are recorded, and those that run_all runs; one stands for the rest.
    began = time.monotonic()
    slots = settle(cron("* * * * * *"), policy, NOW - timedelta(days=30), NOW)
    assert time.monotonic() - began < 20
    assert Counter(slot.disposition for slot in slots) == expected
    (summary,) = [slot for slot in slots if slot.reason.startswith("stands for every slot from")]
    assert summary.due_at == NOW - timedelta(seconds=MOST)
    assert f" to {summary.due_at:%Y-%m-%d %H:%M:%S} UTC" in summary.reason


def test_the_summary_names_the_first_slot_that_it_stands_for():
    slots = settle(cron("* * * * * *"), Policy("run_all", 3, 500), NOW - timedelta(days=30), NOW)
    summary = next(slot for slot in slots if slot.reason.startswith("stands for"))
    # Three were run; the fourth is the first that nothing else stands for.
    assert summary.reason.startswith("stands for every slot from 2026-02-02 12:00:04 UTC to ")


def test_nothing_is_due_where_no_time_has_passed():
    assert settle(cron("* * * * *"), Policy(), NOW, NOW) == []


EXPRESSIONS = [
    "* * * * * *",
    "*/7 * * * * *",
    "* * * * *",
    "*/5 9 * * *",
    "0 * * * *",
    "30 2 * * *",
    "0 0 * * 0",
]
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"]


@settings(max_examples=300, deadline=None)
@given(
    expr=st.sampled_from(EXPRESSIONS),
    tz=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    down=st.one_of(st.integers(0, 3_600), st.integers(0, 40 * 86_400)),
    misfire=st.sampled_from(["skip", "run_once", "run_all"]),
    limit=st.integers(0, 700),
    grace_ms=st.one_of(st.integers(0, 14_000), st.integers(0, 10 * 86_400_000)),
)
def test_every_slot_is_accounted_for_once_with_the_exact_counts(
    expr, tz, start, down, misfire, limit, grace_ms
):
    calendar = cron(expr, tz)
    after = start.replace(tzinfo=UTC)
    now = after + timedelta(seconds=down)
    policy = Policy(misfire, limit, grace_ms)
    slots = settle(calendar, policy, after, now)
    due = list(calendar.between(after, now, limit=4_000))
    counted = Counter(slot.disposition.value for slot in slots)
    summaries = [slot for slot in slots if slot.reason.startswith("stands for every slot")]

    # In order, each once, and nothing but slots of the window.
    assert [slot.due_at for slot in slots] == sorted({slot.due_at for slot in slots})
    if len(due) < 4_000:
        assert {slot.due_at for slot in slots} <= set(due)
    assert all(slot.reason for slot in slots)
    if len(due) <= MOST:
        assert [slot.due_at for slot in slots] == due
        assert not summaries
    else:
        assert len(slots) <= MOST + MOST_LATE + 1
        assert len(summaries) <= 1

    fired = [slot for slot in slots if slot.disposition is Disposition.FIRED]
    in_grace = [moment for moment in due if now - moment <= timedelta(milliseconds=max(grace_ms, 1000))]
    if len(due) < 4_000:
        assert [slot.due_at for slot in fired] == in_grace[-MOST:]
    beyond = len(due) - len(fired)
    if misfire == "skip":
        assert set(counted) <= {"fired", "missed"}
    elif misfire == "run_once":
        assert counted["late"] == (1 if beyond and not fired else 0)
        assert counted["missed"] == 0
        if counted["late"]:
            assert slots[-1].disposition is Disposition.LATE
    else:
        assert counted["late"] == min(limit, MOST_LATE, beyond)
        late = [slot.due_at for slot in slots if slot.disposition is Disposition.LATE]
        assert late == due[: len(late)]
