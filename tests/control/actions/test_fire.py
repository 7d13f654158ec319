"""Firing all schedules of one cron expression."""

import pytest
from sqlalchemy import text

from callboard.control.actions.fire import fire
from callboard.control.actions.schedules import add_schedule
from callboard.control.actions.switches import set_enabled
from callboard.core.errors import BadSchedule, NotAllowed, NotFound
from helpers.declarations import declare, job, run_ids


@pytest.fixture
def jobs(engine):
    declare(
        engine,
        job("first", "*/5 * * * *"),
        job("second", "*/5 * * * * @ Europe/Paris", "0 3 * * *"),
        job("off", "*/5 * * * *"),
        job("other", "0 3 * * *"),
    )


def test_each_job_of_the_expression_runs_once_and_no_other(context, engine, operator, jobs):
    set_enabled(context, operator, "off", False)

    fired = fire(context, operator, " */5  * * * * ")

    assert [(each.job, each.state, each.reason) for each in fired] == [
        ("first", "sent", None),
        ("off", "left out", "its job is switched off"),
        ("second", "sent", None),
    ]
    assert [run_ids(engine, name) for name in ("first", "second", "off", "other")] == [
        [fired[0].run_id],
        [fired[2].run_id],
        [],
        [],
    ]


def test_a_run_is_given_the_secrets_that_its_schedule_hides(context, engine, operator):
    declare(engine, job("send", signature=[{"name": "api_key", "kind": "positional_or_keyword"}]))
    add_schedule(context, operator, "send", "*/7 * * * *", args=["hunter22"])

    (fired,) = fire(context, operator, "*/7 * * * *")

    with engine.connect() as connection:
        given = connection.scalar(
            text("SELECT args FROM callboard.runs WHERE run_id = :id"), {"id": fired.run_id}
        )
    assert given == ["hunter22"]


def test_an_expression_that_no_schedule_has_is_answered_with_those_there_are(context, operator, jobs):
    with pytest.raises(NotFound, match=r'"\*/7 \* \* \* \*"; there are "\*/5 \* \* \* \*", "0 3 \* \* \*"\.'):
        fire(context, operator, "*/7 * * * *")
    with pytest.raises(BadSchedule):
        fire(context, operator, "every five minutes")


def test_a_viewer_may_fire_nothing(context, engine, viewer, jobs):
    with pytest.raises(NotAllowed):
        fire(context, viewer, "*/5 * * * *")
    assert run_ids(engine, "first") == []
