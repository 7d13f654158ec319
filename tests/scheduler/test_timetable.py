"""Which schedule is to be looked at next."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from callboard.scheduler.batch import slot_message
from callboard.scheduler.timetable import Timetable
from callboard.storage.slots import ScheduleRow

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def row(number, expr="* * * * *", *, until=NOON, version=1, tz="UTC"):
    return ScheduleRow(
        *(number, f"job-{number}", "default", expr, tz, [], {}, "run_once", 100, 60_000, until, version, None)
    )


def ids(entries):
    return [entry.id for entry in entries]


def test_the_next_slots_come_first():
    table = Timetable()
    table.replace([row(1, "0 * * * *"), row(2, "*/5 * * * *"), row(3, "* * * * *")])
    assert table.next_wake() == NOON + MINUTE
    assert ids(table.due(NOON + 5 * MINUTE)) == [3, 2]
    assert table.due(NOON + timedelta(seconds=59)) == []


def test_a_schedule_that_was_decided_moves_on():
    table = Timetable()
    table.replace([row(1)])
    (entry,) = table.due(NOON + MINUTE)
    table.advance(entry, NOON + MINUTE)
    assert table.due(NOON + MINUTE) == []
    assert table.next_wake() == NOON + 2 * MINUTE


def test_a_schedule_that_could_not_be_claimed_is_looked_at_later_and_is_doubtful():
    table = Timetable()
    table.replace([row(1)])
    (entry,) = table.due(NOON + MINUTE)
    table.hold(entry, NOON + 2 * MINUTE)
    assert table.due(NOON + MINUTE) == []
    assert [found.doubtful for found in table.due(NOON + 2 * MINUTE)] == [True]


def test_a_schedule_that_is_held_does_not_hide_the_next_instant_of_the_others():
    table = Timetable()
    table.replace([row(1), row(2, "*/2 * * * *"), row(3, "*/2 * * * *")])
    (entry,) = table.due(NOON + MINUTE)
    table.hold(entry, NOON + MINUTE + timedelta(seconds=1))
    assert table.next_wake() == NOON + MINUTE + timedelta(seconds=1)
    assert table.next_instant() == NOON + 2 * MINUTE
    assert ids(table.at(NOON + 2 * MINUTE)) == [2, 3]
    assert table.next_wake() == NOON + MINUTE + timedelta(seconds=1)


def test_looked_up_and_unchanged_it_is_due_at_once_and_keeps_its_count_of_refusals():
    table = Timetable()
    table.replace([row(1)])
    (entry,) = table.due(NOON + MINUTE)
    table.hold(entry, NOON + 2 * MINUTE)
    table.refresh([1], [row(1)])
    (entry,) = table.due(NOON + MINUTE)
    assert (entry.doubtful, entry.refusals) == (False, 1)


def test_looked_up_and_decided_by_another_it_moves_on():
    table = Timetable()
    table.replace([row(1)])
    (entry,) = table.due(NOON + MINUTE)
    table.hold(entry, NOON + MINUTE)
    table.refresh([1], [row(1, until=NOON + MINUTE)])
    assert table.next_wake() == NOON + 2 * MINUTE
    assert table.due(NOON + MINUTE) == []


def test_a_schedule_that_is_gone_is_forgotten():
    table = Timetable()
    table.replace([row(1), row(2)])
    table.refresh([1], [])
    assert ids(table.entries) == [2]
    table.replace([])
    assert table.next_wake() is None
    assert len(table) == 0


def test_a_changed_expression_takes_the_place_of_the_old_one():
    table = Timetable()
    table.replace([row(1)])
    table.replace([row(1, "30 * * * *", version=2)])
    assert table.next_wake() == NOON + 30 * MINUTE
    assert table.due(NOON + 5 * MINUTE) == []


def test_refreshing_again_and_again_does_not_let_a_schedule_come_up_twice():
    table = Timetable()
    for _ in range(5):
        table.replace([row(1)])
        table.refresh([1], [row(1)])
    assert ids(table.due(NOON + MINUTE)) == [1]


def test_an_expression_that_makes_no_sense_is_set_aside_and_the_others_go_on():
    table = Timetable()
    table.replace([row(1, "61 * * * *"), row(2), row(3, tz="Mars/Olympus")])
    assert ids(table.unreadable) == [1, 3]
    assert ids(table.due(NOON + MINUTE)) == [2]


def test_arguments_that_are_none_set_a_schedule_aside():
    table = Timetable()
    table.replace([row(1)._replace(args={}), row(2)._replace(kwargs=[]), row(3)])
    assert ids(table.unreadable) == [1, 2]
    assert table.unreadable[0].problem == (
        "The arguments must be a JSON array, and those by name a JSON object."
    )
    assert ids(table.due(NOON + MINUTE)) == [3]


def test_a_schedule_that_never_fires_again_is_not_looked_at():
    table = Timetable()
    table.replace([row(1, until=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))])
    assert table.next_wake() is None


def test_entries_speak_periodiqs_protocol():
    table = Timetable()
    table.replace([row(1, "*/5 * * * *")])
    (entry,) = table.entries
    periodic = entry.options["periodic"]
    assert (entry.actor_name, entry.queue_name, str(periodic)) == ("job-1", "default", "*/5 * * * *")
    assert periodic.validate(NOON)
    assert periodic.next_valid_date(NOON) == NOON + 5 * MINUTE


def test_only_where_sentry_is_told_of_runs_their_messages_name_a_monitor():
    quiet, told = Timetable(), Timetable()
    told.monitored = True
    for table in (quiet, told):
        table.replace([row(1, "0 8 * * *", tz="Europe/Paris"), row(2, "0 8 L * *")])
    run_id = uuid4()

    messages = {
        entry.actor_name: slot_message(entry, run_id, NOON, NOON).options.get("monitor")
        for entry in told.entries
    }
    assert messages == {
        "job-1": {"slug": "job-1", "expr": "0 8 * * *", "tz": "Europe/Paris"},
        "job-2": None,
    }
    for entry in quiet.entries:
        assert "monitor" not in slot_message(entry, run_id, NOON, NOON).options
