"""Schedules are made, changed, switched, reset and deleted while everything runs."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from callboard.control.actions.schedules import (
    add_schedule,
    edit_schedule,
    remove_schedule,
    reset_schedule,
    set_schedule_enabled,
)
from callboard.control.audit import latest
from callboard.control.auth import Principal, Role, Scope
from callboard.control.reads.jobs import job as read_job
from callboard.control.reads.schedules import find, schedule, schedules
from callboard.core.errors import BadInput, BadSchedule, Conflict, NotAllowed, NotFound
from helpers.declarations import audit, declare, job
from helpers.schedules import execute, fetch, occurrences

GREET = [{"name": "name", "kind": "positional_or_keyword", "type": "str", "required": True}]


@pytest.fixture
def jobs(engine):
    declare(engine, job("report", "0 8 * * * @ Europe/Paris"), job("greet", signature=GREET))


@pytest.fixture
def declared(context, jobs):
    return find(context, "report")


def test_a_schedule_is_made_with_all_that_is_said_of_it(context, engine, operator, jobs):
    made = add_schedule(
        context,
        operator,
        "greet",
        "*/5  * * * *",
        key="often",
        tz="Asia/Tokyo",
        kwargs={"name": "you"},
        misfire="run_all",
        misfire_limit=7,
        grace_ms=1_000,
    )

    assert made == schedule(context, made.id)
    assert (made.job, made.key, made.expr, made.tz) == ("greet", "often", "*/5 * * * *", "Asia/Tokyo")
    assert (made.kwargs, made.misfire, made.misfire_limit, made.grace_ms) == (
        {"name": "you"},
        "run_all",
        7,
        1_000,
    )
    assert (made.origin, made.enabled, made.declared, made.changed_by) == ("operator", True, None, "otto")
    assert made.next_at > datetime.now(UTC)
    (row,) = audit(engine)
    assert (row["action"], row["target"], row["outcome"]) == ("add_schedule", "greet/often", "done")
    assert row["before"] is None
    assert row["after"]["expr"] == "*/5 * * * *"


def test_the_schedulers_are_told(context, operator, jobs, database_url):
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN callboard_schedules")

        made = add_schedule(context, operator, "report", "@daily")

        heard = next(listener.notifies(timeout=5, stop_after=1))
    assert heard.payload == str(made.id)


def test_schedules_without_a_name_are_numbered(context, operator, jobs):
    made = [add_schedule(context, operator, "report", "@daily").key for _ in range(2)]

    assert made == ["operator-1", "operator-2"]


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"expr": "61 * * * *"}, BadSchedule, "minute"),
        ({"expr": "0 0 30 2 *"}, BadSchedule, "never fire"),
        ({"tz": "Mars/Base"}, BadSchedule, "time zone"),
        ({"kwargs": {"nam": "you"}}, BadInput, "takes no argument 'nam'"),
        ({"kwargs": {}}, BadInput, "needs the argument 'name'"),
        ({"kwargs": {"name": 5}}, BadInput, "must be str"),
        ({"args": "you"}, BadInput, "are a list"),
        ({"misfire": "hope"}, BadInput, "skip, run_once, run_all"),
        ({"misfire_limit": -1}, BadInput, "misfire_limit is a whole number"),
        ({"misfire_limit": 501}, BadInput, "from 0 to 500"),
        ({"grace_ms": 1.5}, BadInput, "grace_ms is a whole number"),
        ({"grace_ms": 2**40}, BadInput, "grace_ms"),
        ({"key": "code:1"}, BadInput, "cannot be named"),
        ({"key": "\0"}, BadInput, "cannot be named"),
        ({"key": ""}, BadInput, "cannot be named"),
        ({"colour": "red"}, BadInput, "has no field 'colour'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    context, engine, operator, jobs, fields, error, said
):
    given = {"expr": "@daily", "kwargs": {"name": "you"}} | fields

    with pytest.raises(error, match=said):
        add_schedule(context, operator, "greet", **given)

    assert schedules(context, job="greet") == ()
    assert [row["outcome"] for row in audit(engine)] == ["refused"]


def test_a_name_that_is_taken_and_a_job_that_is_not_there_are_refused(context, operator, jobs):
    add_schedule(context, operator, "report", "@daily", key="daily")

    with pytest.raises(Conflict, match="named daily already"):
        add_schedule(context, operator, "report", "@hourly", key="daily")
    with pytest.raises(NotFound, match="Did you mean report"):
        add_schedule(context, operator, "reprot", "@hourly")


def test_an_edit_changes_what_it_names_and_is_audited_with_both_sides(context, engine, operator, declared):
    changed = edit_schedule(context, operator, declared.id, {"expr": "30 9 * * *", "misfire": "skip"})

    assert (changed.expr, changed.tz, changed.misfire) == ("30 9 * * *", "Europe/Paris", "skip")
    assert (changed.enabled, changed.changed_by, changed.edited) == (True, "otto", True)
    assert changed.changed_at > declared.changed_at
    (row,) = audit(engine)
    assert (row["action"], row["target"]) == ("edit_schedule", "report/code:1")
    assert (row["before"]["expr"], row["after"]["expr"]) == ("0 8 * * *", "30 9 * * *")


def test_an_edit_outlives_a_deploy_until_it_is_reset(context, engine, operator, declared):
    edit_schedule(context, operator, declared.id, {"expr": "30 9 * * *", "enabled": False})

    declare(engine, job("report", "0 7 * * * @ Europe/Paris"), job("greet", signature=GREET))
    kept = schedule(context, declared.id)
    assert (kept.expr, kept.enabled, kept.declared["expr"]) == ("30 9 * * *", False, "0 7 * * *")

    reset = reset_schedule(context, operator, declared.id)
    assert (reset.expr, reset.enabled, reset.edited) == ("0 7 * * *", True, False)
    declare(engine, job("report", "0 6 * * * @ Europe/Paris"), job("greet", signature=GREET))
    assert schedule(context, declared.id).expr == "0 6 * * *"


def test_an_edit_of_an_old_version_is_refused_and_nothing_is_half_written(
    context, engine, operator, declared
):
    edit_schedule(context, operator, declared.id, {"expr": "30 9 * * *"}, version=declared.changed_at)

    with pytest.raises(Conflict, match="report/code:1 was changed meanwhile, by otto"):
        edit_schedule(
            context, operator, declared.id, {"expr": "@hourly", "tz": "UTC"}, version=declared.changed_at
        )

    assert schedule(context, declared.id).expr == "30 9 * * *"
    assert [row["outcome"] for row in audit(engine)] == ["done", "refused"]


def test_of_many_edits_of_one_version_one_is_done(context, operator, declared):
    done, refused = [], []

    def edit(number):
        try:
            changes = {"expr": f"{number} 9 * * *"}
            done.append(edit_schedule(context, operator, declared.id, changes, version=declared.changed_at))
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(done), len(refused)) == (1, 7)


def test_an_edit_to_what_it_is_already_leaves_the_version(context, operator, declared):
    same = edit_schedule(context, operator, declared.id, {"expr": "0  8 * * *"})

    assert same.changed_at == declared.changed_at


def test_arguments_of_an_edit_are_checked_against_the_code(context, operator, jobs):
    made = add_schedule(context, operator, "greet", "@daily", kwargs={"name": "you"})

    with pytest.raises(BadInput, match="takes no argument"):
        edit_schedule(context, operator, made.id, {"kwargs": {"nobody": 1}})
    assert edit_schedule(context, operator, made.id, {"kwargs": {"name": "me"}}).kwargs == {"name": "me"}


def test_a_schedule_is_switched_off_alone(context, engine, operator, declared):
    other = add_schedule(context, operator, "report", "@daily")

    off = set_schedule_enabled(context, operator, declared.id, False)

    assert (off.enabled, off.next_at, off.runs) == (False, None, False)
    assert schedule(context, other.id).enabled
    assert set_schedule_enabled(context, operator, declared.id, True).enabled
    assert [row["action"] for row in audit(engine)][1:] == ["disable_schedule", "enable_schedule"]


def test_a_schedule_of_the_code_is_not_deleted_but_switched_off(context, operator, declared):
    with pytest.raises(Conflict, match=r"declared by the code.* switch it off instead"):
        remove_schedule(context, operator, declared.id)

    assert schedule(context, declared.id).enabled


def test_what_an_operator_made_is_deleted_and_the_ledger_keeps_its_slots(context, engine, operator, jobs):
    made = add_schedule(context, operator, "report", "* * * * *")
    execute(
        engine,
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition)"
        " VALUES (:id, now() - interval '1 hour', 'report', 'missed')",
        id=made.id,
    )

    remove_schedule(context, operator, made.id, version=made.changed_at)

    with pytest.raises(NotFound, match="may have been deleted"):
        schedule(context, made.id)
    assert [slot[1] for slot in occurrences(engine, made.id)] == ["missed"]
    assert audit(engine)[-1]["before"]["expr"] == "* * * * *"


def test_what_the_code_has_given_up_is_not_switched_on_and_may_be_deleted(
    context, engine, operator, declared
):
    declare(engine, job("report"))

    assert schedule(context, declared.id).retired
    for action in (
        lambda: set_schedule_enabled(context, operator, declared.id, True),
        lambda: reset_schedule(context, operator, declared.id),
    ):
        with pytest.raises(Conflict, match="no longer declares it"):
            action()
    remove_schedule(context, operator, declared.id)
    assert schedules(context, job="report") == ()


def test_what_an_operator_made_has_nothing_to_be_reset_to(context, operator, jobs):
    made = add_schedule(context, operator, "report", "@daily")

    with pytest.raises(Conflict, match="no code says"):
        reset_schedule(context, operator, made.id)


@pytest.mark.parametrize("action", [edit_schedule, remove_schedule], ids=["changed", "deleted"])
def test_slots_that_nobody_had_decided_are_cancelled_by_the_change(context, engine, operator, jobs, action):
    made = add_schedule(context, operator, "report", "0 * * * *")
    ago = datetime.now(UTC) - timedelta(hours=3)
    execute(engine, "UPDATE callboard.schedules SET checked_until = :at WHERE id = :id", at=ago, id=made.id)

    action(context, operator, made.id, *([{"expr": "@weekly"}] if action is edit_schedule else []))

    found = occurrences(engine, made.id)
    assert len(found) == 3
    assert {slot[1] for slot in found} == {"cancelled"}
    assert found[0][2].startswith("otto has ")


def test_a_change_of_the_arguments_alone_leaves_the_slots_that_have_passed_to_the_schedulers(
    context, engine, operator, jobs
):
    made = add_schedule(context, operator, "greet", "0 * * * *", kwargs={"name": "you"})
    ago = datetime.now(UTC) - timedelta(hours=3)
    execute(engine, "UPDATE callboard.schedules SET checked_until = :at WHERE id = :id", at=ago, id=made.id)

    edit_schedule(context, operator, made.id, {"kwargs": {"name": "me"}})

    assert occurrences(engine, made.id) == []
    assert schedule(context, made.id).checked_until == ago


def test_after_days_without_a_scheduler_a_change_notes_no_more_slots_than_a_catch_up(
    context, engine, operator, jobs
):
    made = add_schedule(context, operator, "report", "* * * * * *")
    ago = datetime.now(UTC) - timedelta(days=2)
    execute(engine, "UPDATE callboard.schedules SET checked_until = :at WHERE id = :id", at=ago, id=made.id)

    edit_schedule(context, operator, made.id, {"expr": "@weekly"})

    found = occurrences(engine, made.id)
    assert len(found) == 1_001
    assert found[0][2].startswith("stands for every slot from ")


def test_a_viewer_may_do_none_of_it_and_it_is_noted(context, engine, viewer, declared):
    for action in (
        lambda: add_schedule(context, viewer, "report", "@daily"),
        lambda: edit_schedule(context, viewer, declared.id, {"expr": "@daily"}),
        lambda: remove_schedule(context, viewer, declared.id),
        lambda: set_schedule_enabled(context, viewer, declared.id, False),
        lambda: reset_schedule(context, viewer, declared.id),
    ):
        with pytest.raises(NotAllowed, match="schedules:edit"):
            action()

    assert [row["outcome"] for row in audit(engine)] == ["refused"] * 5
    assert schedules(context) == (declared,)


def test_whoever_is_limited_to_some_jobs_changes_the_schedules_of_those_alone(context, operator, declared):
    narrow = Principal("token:narrow", Role.ADMIN, "api", scope=Scope(jobs=frozenset({"greet"})))

    with pytest.raises(NotAllowed):
        set_schedule_enabled(context, narrow, declared.id, False)
    with pytest.raises(NotAllowed):
        set_schedule_enabled(context, narrow, 10**12, False)
    add_schedule(context, narrow, "greet", "@daily", kwargs={"name": "you"})


@pytest.mark.parametrize("schedule_id", [0, -1, 10**12, 2**63])
def test_a_schedule_that_is_not_there_is_said_not_to_be(context, operator, jobs, schedule_id):
    with pytest.raises(NotFound, match="There is no schedule"):
        set_schedule_enabled(context, operator, schedule_id, False)


def test_a_schedule_is_found_by_its_id_its_name_and_its_job(context, operator, declared):
    assert find(context, str(declared.id)) == find(context, "report/code:1") == declared
    with pytest.raises(NotFound, match="greet has no schedule"):
        find(context, "greet")
    with pytest.raises(NotFound, match="no schedule named 'x'"):
        find(context, "report/x")
    with pytest.raises(NotFound, match="no job named"):
        find(context, "nothing")
    add_schedule(context, operator, "report", "@daily", key="daily")
    with pytest.raises(BadInput, match="name one: report/code:1, report/daily"):
        find(context, "report")


def test_a_schedule_shows_its_last_slot_and_whether_its_job_is_on(context, engine, declared):
    execute(
        engine,
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason)"
        " SELECT :id, now() - n * interval '1 hour', 'report', d, 'so'"
        "   FROM (VALUES (2, 'fired'), (1, 'missed')) AS v (n, d)",
        id=declared.id,
    )
    execute(engine, "UPDATE cron_job_config SET enabled = false WHERE job_name = 'report'")

    found = schedule(context, declared.id)

    assert (found.last.disposition, found.last.reason) == ("missed", "so")
    assert (found.enabled, found.job_enabled, found.runs) == (True, False, False)
    assert fetch(engine, "SELECT count(*) FROM callboard.schedules") == [1]


def test_a_schedule_whose_base_is_infinite_is_shown_and_changed(context, engine, operator, declared):
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.schedules SET checked_until = 'infinity'"))

    assert schedule(context, declared.id).checked_until is None
    assert edit_schedule(context, operator, declared.id, {"tz": "UTC"}).tz == "UTC"


def test_the_name_at_a_schedule_is_that_of_who_changed_it_last(
    context, engine, operator, declared, database_url
):
    edit_schedule(context, operator, declared.id, {"expr": "30 9 * * *"})
    with psycopg.connect(database_url) as somebody:
        somebody.execute("UPDATE callboard.schedules SET tz = 'UTC'")
        (who,) = somebody.execute("SELECT session_user").fetchone()
    assert schedule(context, declared.id).changed_by == who

    reset_schedule(context, operator, declared.id)
    assert schedule(context, declared.id).changed_by == "otto"
    declare(engine, job("report", "0 7 * * * @ Europe/Paris"), job("greet", signature=GREET))
    assert schedule(context, declared.id).changed_by is None


def test_only_an_admin_has_sql_of_their_own_choice_run(context, engine, operator, admin):
    command = [{"name": name, "kind": "positional_or_keyword", "type": "str"} for name in ("name", "command")]
    declare(engine, job("run-sql", signature=command))
    fields = {"kwargs": {"name": "now", "command": "SELECT 1"}}

    with pytest.raises(NotAllowed, match="sql:schedule"):
        add_schedule(context, operator, "run-sql", "* * * * *", **fields)
    made = add_schedule(context, admin, "run-sql", "* * * * *", **fields)
    with pytest.raises(NotAllowed, match="sql:schedule"):
        edit_schedule(context, operator, made.id, {"kwargs": {"name": "now", "command": "SELECT 2"}})


SEND = [
    {"name": "api_key", "kind": "positional_or_keyword", "type": "str", "required": True},
    {"name": "to", "kind": "positional_or_keyword", "type": "str", "required": True},
]


@pytest.fixture
def sending(context, engine, operator):
    declare(engine, job("send", signature=SEND))
    return add_schedule(context, operator, "send", "0 8 * * *", args=["hunter22"], kwargs={"to": "you"})


def raw(engine, found):
    with engine.connect() as connection:
        return connection.execute(
            text("SELECT args, kwargs FROM callboard.schedules WHERE id = :id"), {"id": found.id}
        ).one()


def test_a_secret_is_shown_nowhere_and_outlives_an_edit_of_what_was_shown(
    context, engine, operator, admin, sending
):
    assert (sending.args, sending.kwargs, read_job(context, "send").schedules[0].args) == (
        ["***"], {"to": "you"}, ["***"],
    )  # fmt: skip

    changes = {"args": sending.args, "kwargs": {"to": "them"}, "expr": "0 9 * * *"}
    changed = edit_schedule(context, operator, sending.id, changes, version=sending.changed_at)

    assert (changed.args, changed.kwargs, changed.expr) == (["***"], {"to": "them"}, "0 9 * * *")
    assert raw(engine, sending) == (["hunter22"], {"to": "them"})
    edit_schedule(context, operator, sending.id, {"args": [], "kwargs": {"api_key": "new-one", "to": "you"}})
    assert raw(engine, sending) == ([], {"api_key": "new-one", "to": "you"})
    said = latest(context, admin, target=sending.name)[0]
    assert said.before["kwargs"] == {"to": "them"}
    assert said.after["kwargs"] == {"api_key": "***", "to": "you"}


def test_a_mark_that_stands_for_nothing_is_refused(context, engine, operator, sending):
    with pytest.raises(BadInput, match="write the secret itself there"):
        edit_schedule(context, operator, sending.id, {"args": ["***", "them"], "kwargs": {}})

    assert raw(engine, sending) == (["hunter22"], {"to": "you"})
