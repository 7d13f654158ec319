"""Quick actions are the jobs that say so, and their log is of their runs alone."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from callboard.control.actions.switches import set_enabled
from callboard.control.reads.quick_actions import execution_log, quick_actions
from callboard.storage.engine import psycopg_url
from helpers.declarations import declare, job
from helpers.runs import add_run

DRY = {"name": "dry_run", "kind": "positional_or_keyword", "type": "bool", "default": False}


@pytest.fixture(autouse=True)
def known(engine):
    declare(
        engine,
        job("full", options={"quick_action": "Full sync"}, signature=[DRY]),
        job("sweep", options={"quick_action": "A sweep"}),
        job("unnamed", options={"quick_action": None}),
        job("empty", options={"quick_action": ""}),
        job("other"),
    )


def test_they_are_listed_by_their_labels_with_whether_they_know_a_dry_run(context):
    found = [(each.job, each.label, each.dry_run, each.enabled) for each in quick_actions(context)]
    assert found == [("sweep", "A sweep", False, True), ("full", "Full sync", True, True)]


def test_one_that_is_switched_off_says_so(context, operator):
    set_enabled(context, operator, "full", False)
    assert {each.job: each.enabled for each in quick_actions(context)} == {"sweep": True, "full": False}


def test_the_log_has_their_runs_of_a_day_the_latest_first_and_no_others(context, database_url):
    now = datetime.now(UTC)
    with psycopg.connect(psycopg_url(database_url), autocommit=True) as database:
        for name, hours in (("full", 1), ("sweep", 2), ("other", 1), ("full", 30)):
            at = now - timedelta(hours=hours)
            add_run(database, "succeeded", job=name, started_at=at, enqueued_at=at)
        # Asked for and not begun yet.
        add_run(database, "pending", job="sweep", enqueued_at=now)

    log = execution_log(context, quick_actions(context), limit=8)

    assert [(run.job, run.state) for run in log] == [
        ("sweep", "pending"),
        ("full", "succeeded"),
        ("sweep", "succeeded"),
    ]
    assert execution_log(context, (), limit=8) == ()
