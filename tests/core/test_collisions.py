"""The demand of schedules for threads, against counting run by run, and what is said where it is too high."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.core.collisions import Plan, week_of
from callboard.core.cron import cron

START = datetime(2026, 7, 1, tzinfo=UTC)
HOURS = 6
SECOND = timedelta(seconds=1)

plans = st.lists(
    st.builds(
        lambda number, expr, minutes, alone: Plan(f"job-{number}", cron(expr), minutes * 60_000, alone),
        st.integers(0, 5),
        st.sampled_from(("* * * * *", "*/5 * * * *", "7 * * * *", "0 */2 * * *", "3-59/9 * * * *")),
        st.floats(0, 12),
        st.booleans(),
    ),
    max_size=12,
)


def wanted(plan: Plan, minute: int) -> int:
    """How many runs of a plan touch a minute, told one by one."""
    at = START + timedelta(minutes=minute)
    slots = plan.schedule.between(START - SECOND, at)
    lasts = timedelta(milliseconds=max(1, plan.took_ms))
    touching = sum(1 for slot in slots if slot + lasts > at)
    return min(1, touching) if plan.alone else touching


@settings(max_examples=40, deadline=None)
@given(plans, st.integers(0, HOURS * 60 - 1))
def test_a_minute_wants_a_thread_for_each_run_that_touches_it(found: list[Plan], minute: int) -> None:
    week = week_of(found, None, START, HOURS * 60)

    assert week.demand[minute] == sum(wanted(plan, minute) for plan in found)
    assert week.collisions == ()


@settings(max_examples=40, deadline=None)
@given(plans, st.integers(1, 4))
def test_collisions_are_where_the_demand_is_too_high_the_worst_first(found: list[Plan], slots: int) -> None:
    week = week_of(found, slots, START, HOURS * 60)

    assert bool(week.collisions) == (week.peak > slots)
    assert all(one.demand >= other.demand for one, other in pairwise(week.collisions))
    for each in week.collisions:
        minute = (each.at - START) // timedelta(minutes=1)
        assert week.demand[minute] == each.demand > slots
        assert set(each.jobs) == {plan.job for plan in found if wanted(plan, minute)}
        assert each.times >= 1


@settings(max_examples=60, deadline=None)
@given(plans, st.integers(1, 4))
def test_where_a_quieter_minute_is_named_the_job_would_have_a_thread_there(
    found: list[Plan], slots: int
) -> None:
    week = week_of(found, slots, START, HOURS * 60)

    for each in week.collisions:
        if each.quieter is not None:
            assert abs(each.quieter.minutes) <= 30
            assert each.quieter.job in each.jobs
            minute = (each.quieter.at - START) // timedelta(minutes=1)
            own = max(wanted(plan, minute) for plan in found if plan.job == each.quieter.job)
            assert week.demand[minute] - own < slots


def test_a_morning_in_which_all_begin_at_once_is_told_with_its_remedy() -> None:
    morning = [Plan(f"job-{number}", cron("0 8 * * *"), 90_000, alone=True) for number in range(5)]
    hourly = Plan("sync", cron("0 * * * *"), 1_000)

    (found,) = week_of([*morning, hourly], 4, START).collisions

    assert found.at == START + timedelta(hours=8)
    assert (found.times, found.demand, found.slots, found.minutes) == (7, 6, 4, 2)
    assert set(found.jobs) == {"sync", *(plan.job for plan in morning)}
    assert found.quieter is not None
    assert (found.quieter.job, found.quieter.minutes) == ("job-0", 2)
    assert found.evidence == (
        "6 runs want 4 threads for 2 min; the last of them waits about 1 min 15 s."
        " job-0, begun 2 min later, would have a thread at once."
    )
    assert found.severity == "critical"


def test_a_schedule_by_the_second_wants_as_many_threads_as_overlap() -> None:
    often = cron("*/10 * * * * *")

    assert week_of([Plan("ping", often, 2_000)], 1, START, 60).peak == 1
    assert week_of([Plan("ping", often, 25_000)], 1, START, 60).peak == 3
    assert week_of([Plan("ping", often, 25_000, alone=True)], 1, START, 60).peak == 1
