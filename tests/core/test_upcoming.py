"""The coming runs of a schedule, and what an edit changes: pure arithmetic, true of any schedule."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from callboard.core.cron import Cron, cron
from callboard.core.edits import MOST, compare
from callboard.core.errors import BadSchedule
from callboard.core.upcoming import look, upcoming
from helpers.cron_expressions import expressions, moments

ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo"])
SPRING, AUTUMN = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)


@st.composite
def crons(draw: st.DrawFn) -> Cron:
    try:
        return cron(draw(expressions()), draw(ZONES))
    except BadSchedule:
        assume(False)
        raise


@given(crons(), moments, st.integers(1, 60))
def test_the_coming_runs_are_the_next_slots_one_after_the_other(plan: Cron, at: datetime, count: int) -> None:
    start = at.replace(tzinfo=UTC)

    runs = upcoming(plan, start, count)

    assert len(runs) == count
    assert [run.at for run in runs] == [plan.next(before) for before in [start, *(r.at for r in runs[:-1])]]
    assert all(run.local == run.at and str(run.local.tzinfo) == plan.tz for run in runs)


@given(crons(), moments)
def test_there_is_a_note_only_where_the_clock_is_moved(plan: Cron, at: datetime) -> None:
    for run in upcoming(plan, at.replace(tzinfo=UTC), 20):
        around = [(run.at + hours * timedelta(hours=1)).astimezone(run.local.tzinfo) for hours in (-25, 25)]
        assert run.note is None or around[0].utcoffset() != around[1].utcoffset()


@pytest.mark.parametrize(
    ("expr", "after", "notes"),
    [
        ("30 2 * * *", SPRING, ["the clock skips 02:30 that day; it runs at 03:00, right after", None]),
        ("30 2 * * *", AUTUMN, ["the clock shows 02:30 twice that day; it runs the first time only", None]),
        (
            "30 2-3 * * *",
            SPRING,
            ["the clock skips 02:30 that day; it runs at 03:00, right after", None],
        ),
        (
            "30 * * * *",
            AUTUMN + timedelta(hours=2),
            [
                "the clock shows 02:30 twice that day, and it runs both times",
                "the clock shows 02:30 for the second time that day",
                None,
            ],
        ),
        ("30 * * * *", SPRING, [None, None, None, None]),
    ],
)
def test_what_a_change_of_the_clock_does_is_said(expr: str, after: datetime, notes: list[str | None]) -> None:
    runs = upcoming(cron(expr, "Europe/Paris"), after, len(notes))

    assert [run.note for run in runs] == notes


def test_a_slot_is_shown_in_its_zone() -> None:
    run = look(cron("0 8 * * *", "Asia/Tokyo"), datetime(2026, 1, 4, 23, tzinfo=UTC))

    assert f"{run.local:%Y-%m-%d %H:%M %z}" == "2026-01-05 08:00 +0900"


@given(st.lists(crons(), max_size=2), st.lists(crons(), max_size=2), moments)
def test_an_edit_lets_each_slot_go_come_or_stay(before: list[Cron], after: list[Cron], at: datetime) -> None:
    start = at.replace(tzinfo=UTC)

    edit = compare(before, after, start, ahead=timedelta(hours=6))

    def slots(plans: list[Cron]) -> set[datetime]:
        return {slot for plan in plans for slot in plan.between(start, edit.until)}

    gone, new, kept = set(edit.gone), set(edit.new), set(edit.kept)
    assert gone | kept == slots(before)
    assert new | kept == slots(after)
    assert gone.isdisjoint(new | kept)
    assert new.isdisjoint(kept)
    for side in (edit.gone, edit.new, edit.kept):
        assert all(one < other for one, other in pairwise(side))
    days = (edit.until - start) / timedelta(days=1)
    assert edit.per_day_before * days == pytest.approx(len(gone | kept))
    assert edit.per_day_after * days == pytest.approx(len(new | kept))


@given(crons(), moments)
def test_an_edit_to_the_same_changes_nothing(plan: Cron, at: datetime) -> None:
    edit = compare([plan], [plan], at.replace(tzinfo=UTC), ahead=timedelta(hours=2))

    assert edit.gone == edit.new == ()


def test_an_edit_of_schedules_that_run_all_the_time_looks_less_far_ahead() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)

    edit = compare([cron("0 * * * *")], [cron("* * * * * *")], start)

    assert edit.until - start == timedelta(seconds=MOST + 1)
    assert len(edit.kept) == 2
    assert len(edit.new) == MOST - 1
    assert edit.per_day_after == pytest.approx(86_400)
