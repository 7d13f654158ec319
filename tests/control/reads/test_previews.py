from datetime import UTC, datetime, timedelta

import pytest

from callboard.control.reads.previews import compare_plans, preview, preview_edit
from callboard.core.errors import BadInput, BadSchedule, NotFound
from helpers.schedules import add_schedule

START = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_preview_has_the_words_and_the_next_runs():
    found = preview("*/5  * * * *", "Europe/Paris", start=START)

    assert (found.expr, found.words) == ("*/5 * * * *", "Every 5 minutes (Europe/Paris)")
    assert [run.at for run in found.runs] == [
        START + number * timedelta(minutes=5) for number in range(1, 51)
    ]


def test_what_makes_no_sense_is_refused(context):
    with pytest.raises(BadSchedule):
        preview("61 * * * *")
    with pytest.raises(BadInput, match="count must be"):
        preview("@daily", count=1_001)
    with pytest.raises(BadInput, match="no time zone"):
        preview("@daily", start=datetime(2026, 1, 5))  # noqa: DTZ001 - what is refused
    with pytest.raises(NotFound):
        preview_edit(context, 5, expr="@daily")


@pytest.mark.parametrize(
    ("change", "gone", "new", "kept"),
    [
        ({"expr": "0 */2 * * *"}, 84, 0, 84),
        ({"expr": "30 * * * *"}, 168, 168, 0),
        ({"tz": "Asia/Kolkata"}, 168, 168, 0),
        ({"enabled": False}, 168, 0, 0),
        ({}, 0, 0, 168),
    ],
)
def test_an_edit_is_compared_with_what_holds_over_seven_days(context, engine, change, gone, new, kept):
    schedule_id = add_schedule(engine, "report", "0 * * * *")

    found = preview_edit(context, schedule_id, start=START, **change)

    assert (len(found.edit.gone), len(found.edit.new), len(found.edit.kept)) == (gone, new, kept)
    assert found.edit.until == START + timedelta(days=7)


def test_switching_a_schedule_on_brings_its_slots(context, engine):
    schedule_id = add_schedule(engine, "report", "0 * * * *", enabled=False)

    assert len(preview_edit(context, schedule_id, start=START, enabled=True).edit.new) == 168


def test_what_nobody_can_read_counts_as_nothing():
    found = compare_plans([("0 * * * *", "UTC"), ("x", "UTC")], [("0 * * * *", "Mars")], START)

    assert len(found.gone) == 168
