"""Why it did not run: one or two plain sentences, true of whatever happened."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
import psycopg
import pytest

from callboard.control.actions.schedules import add_schedule as make
from callboard.control.actions.schedules import edit_schedule, set_schedule_enabled
from callboard.control.actions.switches import set_enabled
from callboard.control.reads.schedules import find
from callboard.control.reads.why import why
from callboard.core.clock import to_ms
from callboard.core.errors import BadInput, NotFound
from helpers.declarations import declare, job
from helpers.schedules import add_schedule, execute, fetch

PARIS = ZoneInfo("Europe/Paris")
#: A slot of the day before yesterday, so that the sentences tell it by its weekday.
DUE = (datetime.now(PARIS) - timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
EIGHT = f"{DUE:%a} 08:00 (Europe/Paris)"

UNATTENDED = " No scheduler had claimed it in time: none was alive, or PostgreSQL did not answer it."

ADD = """
INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id, decided_at)
VALUES (:schedule, :due, 'report', :became, :reason, :run, :due)
"""
RUN = """
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, error, reason)
VALUES (:run, :due, 'report', 'default', :state, 15, :error, :reason)
"""


@pytest.fixture
def report(engine):
    """A job with a schedule that is a week old and decided up to now; the schedule's id."""
    declare(engine, job("report", "0 8 * * * @ Europe/Paris"))
    execute(
        engine,
        "UPDATE callboard.schedules SET checked_until = now(), created_at = now() - interval '7 days'"
        ", changed_at = now() - interval '7 days'",
    )
    return fetch(engine, "SELECT id FROM callboard.schedules")[0]


@pytest.fixture
def decide(engine, report):
    """Decides the slot, as a scheduler would, and records its run where there is a state for it."""

    def decided(became, reason, *, state=None, error=None, why=None, due=DUE):
        run = uuid4() if became in ("fired", "late") else None
        execute(engine, ADD, schedule=report, due=due, became=became, reason=reason, run=run)
        if state:
            execute(engine, RUN, run=run, due=due, state=state, error=error, reason=why)
        return run

    return decided


def answer(context, at=DUE, **more):
    return str(why(context, "report", at, **more))


def test_a_job_that_was_switched_off_says_by_whom_when_and_why(context, engine, operator, decide):
    set_enabled(context, operator, "report", False, notes="maintenance")
    execute(engine, "UPDATE callboard.audit SET at = :at", at=DUE - timedelta(minutes=48))
    set_enabled(context, operator, "report", True)
    decide("skipped_disabled", "the job is switched off")

    assert answer(context) == (
        f"The slot of {EIGHT} did not run: skipped_disabled, since otto switched the job off at"
        f" {DUE:%a} 07:12: 'maintenance'."
    )


def test_a_job_switched_off_by_sql_says_so_with_its_notes(context, engine, decide, database_url):
    with psycopg.connect(database_url) as somebody:
        somebody.execute("UPDATE cron_job_config SET enabled = false, notes = 'moving house'")
    execute(engine, "UPDATE callboard.audit SET at = :at", at=DUE - timedelta(minutes=1))
    decide("skipped_disabled", "the job is switched off")

    assert "switched the job off at" in answer(context)
    assert answer(context).endswith("07:59: 'moving house'.")


def test_a_job_that_was_never_switched_is_off_by_its_code(context, decide):
    decide("skipped_disabled", "the job is switched off")

    assert answer(context).endswith("skipped_disabled, since the job was switched off.")


def test_a_schedule_that_was_switched_off_alone_says_by_whom(context, engine, operator, report, decide):
    set_schedule_enabled(context, operator, report, False)
    execute(engine, "UPDATE callboard.audit SET at = :at", at=DUE - timedelta(hours=2))
    decide("skipped_disabled", "the schedule is switched off")

    assert answer(context).endswith(
        f"skipped_disabled, since otto switched the schedule off at {DUE:%a} 06:00."
    )


def test_a_job_without_code_and_a_schedule_that_the_code_gave_up_say_so(context, engine, report, decide):
    decide("skipped_disabled", "no running code declares the job")
    assert answer(context).endswith("skipped_disabled, since no running code declares the job.")

    declare(engine, job("report"))
    execute(engine, "UPDATE callboard.occurrences SET reason = 'the schedule is switched off'")
    assert answer(context).endswith("since the code no longer declares the schedule.")


@pytest.mark.parametrize(
    ("became", "reason", "said"),
    [
        ("missed", "the policy is skip", f"The slot of {EIGHT} did not run: missed, the policy is skip."),
        (
            "coalesced",
            "another stands for it",
            f"The slot of {EIGHT} did not run by itself: coalesced, another stands for it.",
        ),
        ("skipped_overlap", "it runs", f"The slot of {EIGHT} did not run: skipped_overlap, it runs."),
        ("skipped_paused", None, f"The slot of {EIGHT} did not run: skipped_paused."),
    ],
)
def test_a_slot_that_became_no_run_gives_its_reason(context, decide, became, reason, said):
    decide(became, reason)

    assert answer(context).removesuffix(UNATTENDED) == said


@pytest.mark.parametrize(
    ("state", "error", "reason", "said"),
    [
        ("succeeded", None, None, "was fired (on time), and its run succeeded."),
        ("failed", "ValueError:\n no luck.", None, "(on time), but its run failed: ValueError: no luck."),
        ("dead", None, "unknown job", "but its run could not be executed: unknown job."),
        ("skipped", None, "it was stale", "but the worker skipped its run: it was stale."),
        ("cancelled", None, "by otto", "but its run was cancelled: by otto."),
        ("pending", None, None, "and its run waits for a worker."),
        ("processing", None, None, "and its run is being executed."),
        (None, None, None, "yet, or any more."),
    ],
)
def test_a_slot_that_was_fired_says_what_became_of_its_run(context, decide, state, error, reason, said):
    decide("fired", "on time", state=state, error=error, why=reason)

    assert answer(context).startswith(f"The slot of {EIGHT} was fired")
    assert answer(context).endswith(said)


def test_a_slot_whose_message_waits_for_redis_says_so(context, engine, decide):
    run = decide("fired", "on time", state="pending")
    execute(
        engine,
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message)"
        " VALUES (:run, 'report', 'default', '{}')",
        run=run,
    )

    assert answer(context).endswith("its message has not reached Redis yet.")


def test_a_late_run_says_how_late(context, decide):
    decide("late", "3 min late", state="succeeded")

    said = f"The slot of {EIGHT} ran late (3 min late), and its run succeeded."
    assert answer(context) == said + UNATTENDED

    sign = {"at": to_ms(datetime.now(UTC)), "started_at": to_ms(DUE + timedelta(minutes=3))}
    context.redis.hset(context.keys.schedulers, "a", orjson.dumps(sign))
    began = f" The earliest of the schedulers that run now began later, at {DUE:%a} 08:03."
    assert answer(context) == said + began


def test_a_slot_that_no_scheduler_has_decided_names_the_last_sign_of_one(context, engine, report):
    execute(engine, "UPDATE callboard.schedules SET checked_until = :at", at=DUE - timedelta(days=1))

    assert "was never decided: no scheduler is alive, and none has died" in answer(context)

    sign = {"at": to_ms(datetime.now(UTC)) - 1_200_000}
    context.redis.hset(context.keys.schedulers, "a", orjson.dumps(sign))
    assert "no scheduler is alive: the last sign of one came 20 min 0" in answer(context)

    sign = {"at": to_ms(datetime.now(UTC)), "started_at": 5}
    context.redis.hset(context.keys.schedulers, "a", orjson.dumps(sign))
    assert "a scheduler is alive and has not decided it" in answer(context)


def test_a_slot_that_is_not_due_yet_says_so(context, report):
    coming = (datetime.now(PARIS) + timedelta(days=1)).replace(hour=8, minute=0)

    assert "has not run: it is not due yet." in answer(context, coming)


def test_a_slot_hidden_in_a_long_catch_up_is_found_in_the_one_that_stands_for_it(context, decide):
    first = (DUE - timedelta(hours=1)).astimezone(UTC)
    reason = f"stands for every slot from {first:%Y-%m-%d %H:%M:%S} UTC to {DUE:%Y} UTC: a catch-up"
    decide("missed", reason, due=DUE + timedelta(hours=5))

    found = why(context, "report", DUE)

    assert "did not run: missed, stands for every slot" in str(found)
    assert [slot.due_at for slot in found.slots] == [DUE + timedelta(hours=5)]


def test_where_nothing_is_expected_the_slots_around_are_named(context, report, decide):
    decide("fired", "on time")

    said = answer(context, DUE + timedelta(hours=3))

    assert said == (
        f"No slot of report falls due at {DUE:%a} 11:00 (Europe/Paris). By the schedule report/code:1"
        f" (At 08:00 every day (Europe/Paris)), the slot before it was {DUE:%a} 08:00 (fired, on time),"
        f" the next one was {DUE + timedelta(days=1):%a} 08:00."
    )


def test_a_schedule_that_is_off_made_later_or_changed_since_says_so(context, engine, operator, report):
    at = DUE + timedelta(hours=3)
    set_schedule_enabled(context, operator, report, False)
    assert answer(context, at).endswith("It is switched off.")

    edit_schedule(context, operator, report, {"expr": "0 9 * * *", "enabled": True})
    assert "The schedule was changed at " in answer(context, at)
    assert " by otto (before that it said 0 8 * * *)." in answer(context, at)
    nine = DUE + timedelta(hours=1)
    assert answer(context, nine).startswith(
        f"No slot is known at {DUE:%a} 09:00 (Europe/Paris): the schedule was"
    )

    made = make(context, operator, "report", "0 12 * * *", tz="Europe/Paris", key="noon")
    assert "The schedule report/noon was made later, at " in answer(context, at)
    assert ": the schedule was made later, at " in answer(context, DUE + timedelta(hours=4))
    assert made.changed_by == "otto"


def test_a_slot_older_than_the_ledger_says_so(context, report):
    assert answer(context) == (
        f"What became of the slot of {EIGHT} is not known: the ledger no longer goes back so far."
    )


def test_of_several_schedules_each_slot_of_that_time_is_told(context, engine, report, decide):
    other = add_schedule(engine, "report", "0 8 * * *", tz="Europe/Paris", key="again")
    decide("fired", "on time", state="succeeded")
    execute(engine, ADD, schedule=other, due=DUE, became="missed", reason="so", run=None)

    found = why(context, "report", DUE)

    assert len(found.sentences) == len(found.slots) == 2


def test_a_moment_is_told_as_people_write_it(context, report):
    found = why(context, "report", f"{DUE:%Y-%m-%d} 08:00")
    assert (found.at, found.tz) == (DUE, "Europe/Paris")
    assert why(context, "report", f"{DUE:%Y-%m-%d} 08:00", tz="UTC").at == DUE.replace(tzinfo=UTC)
    assert why(context, "report", "8:00").at <= datetime.now(UTC)
    with pytest.raises(BadInput, match="no moment"):
        why(context, "report", "eight")


def test_jobs_that_are_not_there_and_jobs_without_a_schedule_are_told_apart(context, engine, report):
    declare(engine, job("report"), job("greet"))

    assert str(why(context, "greet", DUE)).endswith("greet has no schedule.")
    with pytest.raises(NotFound, match="no job named"):
        why(context, "\0", DUE)
    assert find(context, "report").retired
