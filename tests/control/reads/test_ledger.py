"""The ledger: one row for each slot that was expected, whatever became of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from callboard.control.reads.ledger import Wanted, ledger, page
from callboard.core.errors import BadInput
from helpers.schedules import add_schedule, execute

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOW = datetime.now(UTC).replace(microsecond=0)

ADD = """
INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id, decided_at)
VALUES (:schedule, :due, :job, :became, :reason, :run, :due + interval '1 second')
"""
RUN = """
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, error, reason)
VALUES (:run, :due, :job, 'default', :state, 15, :error, :reason)
"""


@pytest.fixture
def add(engine):
    """Adds a decided slot, and a run where there is a state for it."""

    def made(schedule, due, became="fired", *, job="report", reason=None, state=None, error=None, why=None):
        run = uuid4() if state else None
        execute(engine, ADD, schedule=schedule, due=due, job=job, became=became, reason=reason, run=run)
        if state:
            execute(engine, RUN, run=run, due=due, job=job, state=state, error=error, reason=why)
        return run

    return made


def test_each_slot_is_there_once_with_what_became_of_it_and_of_its_run(context, engine, add):
    schedule = add_schedule(engine, "report", "0 0 1 1 *", tz="Asia/Tokyo", checked_until=NOW)
    run = add(schedule, NOW - HOUR, state="failed", error="no luck", reason="on time")
    add(schedule, NOW - 2 * HOUR, "skipped_disabled", reason="the job is switched off")
    add(schedule, NOW - 3 * HOUR, state="skipped", why="it is stale")

    first, second, third = ledger(context, "report")

    assert (first.due_at, first.disposition, first.reason) == (NOW - HOUR, "fired", "on time")
    assert (first.run_id, first.run_state, first.run_reason) == (run, "failed", "no luck")
    assert (first.key, first.expr, first.tz) == ("test", "0 0 1 1 *", "Asia/Tokyo")
    assert first.decided_at == first.due_at + timedelta(seconds=1)
    assert (second.disposition, second.run_id, second.run_state) == ("skipped_disabled", None, None)
    assert (third.run_state, third.run_reason) == ("skipped", "it is stale")


def test_slots_that_have_passed_undecided_are_there_too(context, engine, add):
    schedule = add_schedule(engine, "report", "0 * * * *", checked_until=NOW - 3 * HOUR)
    add(schedule, NOW - 4 * HOUR)

    found, _ = page(context, Wanted(job="report", until=NOW))

    assert [slot.disposition for slot in found] == ["undecided"] * 3 + ["fired"]
    assert found[0].decided_at is None
    assert "no scheduler is alive" in found[0].reason
    assert len({slot.due_at for slot in found}) == 4
    assert (
        len(page(context, Wanted(dispositions=["undecided"], since=NOW - 2 * HOUR + SECOND, until=NOW))[0])
        == 2
    )
    assert [slot.disposition for slot in page(context, Wanted(dispositions=["fired"]))[0]] == ["fired"]


def test_pages_follow_each_other_without_gap_or_repetition(context, engine, add):
    schedules = [add_schedule(engine, "report", "0 0 1 1 *", key=key, checked_until=NOW) for key in "ab"]
    for hours in range(5):
        for schedule in schedules:
            add(schedule, NOW - hours * HOUR)

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        slots, cursor = page(context, limit=3, cursor=cursor)
        found += slots
        pages += 1

    assert pages == 4
    assert len({(slot.schedule_id, slot.due_at) for slot in found}) == len(found) == 10
    assert found == sorted(found, key=lambda slot: (slot.due_at, slot.schedule_id), reverse=True)


def test_slots_are_chosen_by_job_schedule_disposition_and_time(context, engine, add):
    one = add_schedule(engine, "report", "0 0 1 1 *", checked_until=NOW)
    other = add_schedule(engine, "greet", "0 0 1 1 *", checked_until=NOW)
    add(one, NOW - HOUR)
    add(one, NOW - 2 * HOUR, "missed")
    add(other, NOW - 3 * HOUR, job="greet")

    def count(**wanted):
        return len(page(context, Wanted(**wanted))[0])

    assert (count(), count(job="report"), count(schedule_id=other)) == (3, 2, 1)
    assert (count(dispositions=["missed", "late"]), count(since=NOW - 2 * HOUR)) == (1, 2)
    assert (count(until=NOW - 2 * HOUR), count(job="nothing"), count(schedule_id=2**70)) == (2, 0, 0)


def test_slots_of_a_schedule_that_is_gone_stay(context, engine, add):
    schedule = add_schedule(engine, "report", "0 0 1 1 *", checked_until=NOW)
    add(schedule, NOW - HOUR)
    execute(engine, "DELETE FROM callboard.schedules")

    (slot,) = ledger(context, "report")

    assert (slot.schedule_id, slot.key, slot.expr) == (schedule, None, None)


@pytest.mark.parametrize(
    ("wanted", "more", "said"),
    [
        ({"dispositions": ["hoped"]}, {}, "no disposition 'hoped'"),
        ({"since": datetime(2026, 1, 1)}, {}, "no time zone"),  # noqa: DTZ001 - what is refused
        ({}, {"limit": 0}, "limit must be"),
        ({}, {"cursor": "x"}, "no page"),
        ({}, {"cursor": "2026-01-01T00:00:00_1"}, "no page"),
        ({}, {"cursor": "2026-01-01T00:00:00Z_99999999999999999999"}, "no page"),
    ],
)
def test_what_makes_no_sense_is_refused(context, wanted, more, said):
    with pytest.raises(BadInput, match=said):
        page(context, Wanted(**wanted), **more)
