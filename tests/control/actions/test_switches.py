import threading
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from callboard.control.actions.switches import set_enabled
from callboard.control.auth import Principal, Role
from callboard.control.reads.jobs import job as read_job
from callboard.core.errors import NotAllowed, NotFound
from helpers.declarations import audit, declare, job


def test_an_operator_switches_a_job_off_and_on_again(context, engine, operator):
    declare(engine, job("report"))

    off = set_enabled(context, operator, "report", False, notes="too loud")
    assert (off.job, off.enabled, off.changed) == ("report", False, True)
    assert not read_job(context, "report").enabled
    assert read_job(context, "report").notes == "too loud"

    on = set_enabled(context, operator, "report", True)
    assert (on.enabled, on.changed) == (True, True)
    assert read_job(context, "report").enabled
    assert read_job(context, "report").notes == "too loud"


def test_switching_a_job_to_what_it_is_changes_nothing_and_says_so(context, engine, operator):
    declare(engine, job("report"))

    assert not set_enabled(context, operator, "report", True).changed


def test_the_switch_is_audited_with_what_it_was_and_is(context, engine, operator):
    declare(engine, job("report"))

    set_enabled(context, operator, "report", False)

    (row,) = audit(engine)
    assert row == {
        "who": "otto",
        "role": "operator",
        "origin": "panel",
        "address": "10.0.0.2",
        "action": "disable_job",
        "target": "report",
        "before": {"enabled": True, "notes": None},
        "after": {"enabled": False, "notes": None},
        "outcome": "done",
        "reason": None,
    }


def test_a_viewer_is_refused_and_the_refusal_is_audited(context, engine, viewer):
    declare(engine, job("report"))

    with pytest.raises(NotAllowed, match="vera is a viewer and may not do this: it takes jobs:toggle"):
        set_enabled(context, viewer, "report", False)

    assert read_job(context, "report").enabled
    (row,) = audit(engine)
    assert (row["who"], row["action"], row["target"], row["outcome"]) == (
        "vera",
        "disable_job",
        "report",
        "refused",
    )
    assert "jobs:toggle" in row["reason"]


@pytest.mark.parametrize("name", ["nothing", "\0", "x" * 5000, "\ud800", ""])
def test_an_unknown_job_is_refused_and_audited_whatever_its_name(context, engine, operator, name):
    declare(engine, job("report"))

    with pytest.raises(NotFound):
        set_enabled(context, operator, name, False)

    (row,) = audit(engine)
    assert row["outcome"] == "refused"
    assert len(row["target"]) <= 200


def test_the_fleet_is_told_by_the_database(context, engine, operator, database_url):
    declare(engine, job("report"))
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN callboard_control")

        set_enabled(context, operator, "report", False)

        heard = next(listener.notifies(timeout=5, stop_after=1))
    assert heard.payload == "report"


def test_the_user_who_switched_it_is_shown_by_name(context, engine):
    declare(engine, job("report"))
    user_id = UUID("6f1c7d58-2f4e-4a09-9f4b-1f2f8b9b7d11")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.users (id, name, role, password_hash)"
                " VALUES (:id, 'uma', 'operator', '-')"
            ),
            {"id": user_id},
        )

    set_enabled(context, Principal("uma", Role.OPERATOR, "panel", None, user_id), "report", False)

    assert read_job(context, "report").modified_by == "uma"


def test_many_at_once_leave_one_state_and_a_trail_without_a_break(context, engine, operator):
    declare(engine, job("report"))
    threads = [
        threading.Thread(target=set_enabled, args=(context, operator, "report", number % 2 == 0))
        for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    rows = audit(engine)
    assert len(rows) == 10
    states = [True, *(row["after"]["enabled"] for row in rows)]
    assert [row["before"]["enabled"] for row in rows] == states[:-1]
    assert read_job(context, "report").enabled is states[-1]
