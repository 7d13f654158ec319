"""The claim: each slot is decided once, whoever proposes it and however often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callboard.core.ids import slot_run_id
from callboard.storage import slots
from callboard.storage.slots import HeldClaim, Proposal, claim_slots, load_schedules
from helpers.schedules import add_schedule, dispositions, execute, fetch, occurrences
from helpers.waiting import wait_for

BASE = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def propose(rows, minutes=1, *, disposition="fired", message='{"options": {}}'):
    """The slots of each minute after what is decided already, as a scheduler would propose them."""
    proposal = Proposal()
    for row in rows:
        proposal.add_schedule(row.id, row.checked_until, row.checked_until + minutes * MINUTE, row.version)
        for number in range(1, minutes + 1):
            due = row.checked_until + number * MINUTE
            proposal.add_slot(row.id, due, disposition, "on time", slot_run_id(row.id, due), message)
    return proposal


@pytest.fixture
def schedules(engine):
    ids = [add_schedule(engine, f"job-{n}", "* * * * *", checked_until=BASE) for n in range(3)]
    with engine.begin() as connection:
        rows = load_schedules(connection)
    assert [row.id for row in rows] == ids
    return rows


def claim(engine, proposal):
    with engine.begin() as connection:
        return claim_slots(connection, proposal)


def test_a_claim_writes_occurrences_and_outbox_rows_and_moves_checked_until(engine, schedules):
    claimed = claim(engine, propose(schedules))
    assert claimed.schedule_ids == {row.id for row in schedules}
    assert claimed.run_ids == {slot_run_id(row.id, BASE + MINUTE) for row in schedules}
    for row in schedules:
        run_id = slot_run_id(row.id, BASE + MINUTE)
        assert occurrences(engine, row.id) == [(BASE + MINUTE, "fired", "on time", run_id)]
    assert set(fetch(engine, "SELECT run_id FROM callboard.outbox")) == claimed.run_ids
    assert set(fetch(engine, "SELECT checked_until FROM callboard.schedules")) == {BASE + MINUTE}


def test_text_of_any_kind_arrives_as_it_was(engine, schedules):
    reason = 'quotes " and \\ backslashes, {braces}, commas, NULL, and \u00e9\u4e2d'
    proposal = Proposal()
    proposal.add_schedule(schedules[0].id, BASE, BASE + MINUTE, schedules[0].version)
    message = '{"options": {"a": "say \\"hi\\" \\\\ {x}, \u00e9"}}'
    proposal.add_slot(schedules[0].id, BASE + MINUTE, "fired", reason, uuid4(), message)
    claim(engine, proposal)
    ((_, _, found, _),) = occurrences(engine, schedules[0].id)
    assert found == reason
    (stored,) = fetch(engine, "SELECT message FROM callboard.outbox")
    assert stored == {"options": {"a": 'say "hi" \\ {x}, \u00e9'}}


def test_the_same_proposal_again_claims_nothing(engine, schedules):
    proposal = propose(schedules)
    claim(engine, proposal)
    execute(engine, "DELETE FROM callboard.outbox")
    assert claim(engine, proposal) == (set(), set())
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0]


def test_a_proposal_that_begins_where_another_has_begun_already_is_void_as_a_whole(engine, schedules):
    # Else two catch-ups of a schedule that runs once, a moment apart, would each run its newest slot.
    claim(engine, propose(schedules, 1))
    assert claim(engine, propose(schedules, 2)) == (set(), set())
    assert dispositions(engine, schedules[0].id) == {"fired": 1}


def test_a_slot_that_has_its_occurrence_does_not_fire_again_even_if_time_is_set_back(engine, schedules):
    claim(engine, propose(schedules))
    execute(engine, "DELETE FROM callboard.outbox")
    execute(engine, "UPDATE callboard.schedules SET checked_until = :base", base=BASE)
    claimed = claim(engine, propose(schedules, 2))
    assert claimed.run_ids == {slot_run_id(row.id, BASE + 2 * MINUTE) for row in schedules}


def test_of_many_who_propose_at_once_one_claims_each_slot(engine, schedules):
    barrier = Barrier(8)

    def propose_and_claim(_):
        proposal = propose(schedules, 5)
        barrier.wait()
        return claim(engine, proposal)

    with ThreadPoolExecutor(8) as pool:
        all_claimed = list(pool.map(propose_and_claim, range(8)))
    won = [run_id for claimed in all_claimed for run_id in claimed.run_ids]
    assert len(won) == len(set(won)) == 15
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [15]


def test_a_schedule_that_has_changed_since_is_not_claimed(engine, schedules):
    proposal = propose(schedules)
    execute(engine, "UPDATE callboard.schedules SET args = '[1]' WHERE id = :id", id=schedules[1].id)
    claimed = claim(engine, proposal)
    assert claimed.schedule_ids == {schedules[0].id, schedules[2].id}
    assert occurrences(engine, schedules[1].id) == []


def test_a_queue_that_has_changed_since_is_a_change_of_the_schedule(engine, schedules):
    proposal = propose(schedules)
    execute(engine, "UPDATE callboard.jobs SET queue = 'other' WHERE name = 'job-1'")
    assert schedules[1].id not in claim(engine, proposal).schedule_ids


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "INSERT INTO cron_job_config (job_name, enabled) VALUES ('job-1', false)",
            "the job is switched off",
        ),
        (
            "UPDATE callboard.schedules SET enabled = false WHERE job_name = 'job-1'",
            "the schedule is switched off",
        ),
        (
            "UPDATE callboard.jobs SET declared = false WHERE name = 'job-1'",
            "no running code declares the job",
        ),
        ("UPDATE callboard.jobs SET enabled_default = false WHERE name = 'job-1'", "the job is switched off"),
    ],
)
def test_what_is_switched_off_at_the_claim_is_skipped_though_it_was_on_when_proposed(
    engine, schedules, statement, reason
):
    proposal = propose(schedules)
    execute(engine, statement)
    claimed = claim(engine, proposal)
    # The schedule's time is decided like that of the others, but no run comes of it.
    assert schedules[1].id in claimed.schedule_ids
    assert slot_run_id(schedules[1].id, BASE + MINUTE) not in claimed.run_ids
    assert occurrences(engine, schedules[1].id) == [(BASE + MINUTE, "skipped_disabled", reason, None)]
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox WHERE job_name = 'job-1'") == [0]


def test_a_switch_that_says_on_wins_over_a_default_that_says_off(engine, schedules):
    execute(engine, "UPDATE callboard.jobs SET enabled_default = false")
    execute(engine, "INSERT INTO cron_job_config (job_name, enabled) VALUES ('job-0', true)")
    claim(engine, propose(schedules))
    assert dispositions(engine, schedules[0].id) == {"fired": 1}
    assert dispositions(engine, schedules[1].id) == {"skipped_disabled": 1}


def test_a_schedule_that_somebody_holds_is_passed_by_and_the_others_are_not_kept_waiting(engine, schedules):
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT 1 FROM callboard.schedules WHERE id = %s FOR UPDATE", (schedules[0].id,)
        )
        claimed = claim(engine, propose(schedules))
    assert claimed.schedule_ids == {schedules[1].id, schedules[2].id}


def test_checked_until_never_goes_back(engine, schedules):
    ahead = BASE + 10 * MINUTE
    execute(engine, "UPDATE callboard.schedules SET checked_until = :ahead", ahead=ahead)
    with engine.begin() as connection:
        rows = load_schedules(connection)
    proposal = Proposal()
    for row in rows:
        proposal.add_schedule(row.id, ahead, BASE, row.version)
    claim(engine, proposal)
    assert set(fetch(engine, "SELECT checked_until FROM callboard.schedules")) == {ahead}


def test_a_slot_further_ahead_of_the_databases_clock_than_the_allowance_is_refused(engine, schedules):
    now = datetime.now(UTC)
    execute(engine, "UPDATE callboard.schedules SET checked_until = :now", now=now)
    with engine.begin() as connection:
        rows = load_schedules(connection)
    # A host whose clock has jumped by a minute proposes what is not due.
    assert claim(engine, propose(rows)) == (set(), set())
    assert fetch(engine, "SELECT count(*) FROM callboard.occurrences") == [0]


def test_a_held_claim_holds_once_it_is_committed(engine, schedules):
    held = HeldClaim(engine, propose(schedules))
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0]
    assert claim(engine, propose(schedules)).schedule_ids == set()
    assert held.commit().run_ids == set(fetch(engine, "SELECT run_id FROM callboard.outbox"))
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [3]


def test_a_held_claim_that_is_undone_leaves_nothing(engine, schedules):
    HeldClaim(engine, propose(schedules)).undo()
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0]
    assert len(claim(engine, propose(schedules)).run_ids) == 3


def test_the_claim_of_a_scheduler_that_hangs_is_undone_by_the_database(engine, schedules, monkeypatch):
    monkeypatch.setattr(slots, "_HOLD", text("SET LOCAL idle_in_transaction_session_timeout = 200"))
    held = HeldClaim(engine, propose(schedules))
    # Nobody commits: after the time allowed the schedules are free again.
    assert len(wait_for(lambda: claim(engine, propose(schedules)).run_ids)) == 3
    with pytest.raises(DBAPIError):
        held.commit()
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [3]


def test_loading_by_ids_gives_those_that_exist(engine, schedules):
    with engine.begin() as connection:
        rows = load_schedules(connection, [schedules[2].id, 10**9])
    assert rows == [schedules[2]]
    assert isinstance(slot_run_id(schedules[2].id, BASE), UUID)
