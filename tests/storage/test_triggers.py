"""Switches and schedules changed by SQL: what follows, and who is told."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from callboard.storage.engine import psycopg_url
from helpers.runs import HOUR, NOW, Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def test_inserting_a_switch_that_is_there_changes_it(database: Database) -> None:
    insert = "INSERT INTO cron_job_config (job_name, enabled, notes) VALUES ('a-job', %s, %s)"
    assert database.execute(insert, (True, "at first")).rowcount == 1
    assert database.execute(insert, (False, None)).rowcount == 0
    rows = database.execute("SELECT job_name, enabled, notes FROM cron_job_config").fetchall()
    assert rows == [{"job_name": "a-job", "enabled": False, "notes": "at first"}]


@pytest.mark.parametrize(
    ("conflict", "notes"),
    [("DO NOTHING", "at first"), ("(job_name) DO UPDATE SET notes = excluded.notes", "new")],
)
def test_an_insert_that_says_what_becomes_of_a_conflict_has_its_way(
    database: Database, conflict: str, notes: str
) -> None:
    # Given a switch that an operator has turned off
    database.execute(
        "INSERT INTO cron_job_config (job_name, enabled, notes) VALUES ('a-job', false, 'at first')"
    )
    database.execute(
        f"INSERT INTO cron_job_config (job_name, notes) VALUES ('a-job', 'new') ON CONFLICT {conflict}"
    )
    row = database.execute("SELECT enabled, notes FROM cron_job_config").fetchone()
    assert row == {"enabled": False, "notes": notes}


def test_a_change_of_a_switch_is_announced_and_dated(database: Database) -> None:
    database.execute(
        "INSERT INTO cron_job_config (job_name, last_modified_at) VALUES ('a-job', %s)", (NOW - HOUR,)
    )
    database.execute("LISTEN callboard_control")
    database.execute("UPDATE cron_job_config SET enabled = false WHERE job_name = 'a-job'")
    assert [notice.payload for notice in database.notifies(timeout=5, stop_after=1)] == ["a-job"]
    row = database.execute(
        "SELECT last_modified_at > now() - interval '1 minute' AS fresh FROM cron_job_config"
    )
    assert row.fetchone() == {"fresh": True}


def test_a_switch_turned_by_sql_from_outside_is_audited_with_the_user_that_is_named(
    database: Database,
) -> None:
    database.execute("INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 'tests')")
    database.execute("SELECT toggle_cron_job('a-job', true)")
    database.execute("SELECT toggle_cron_job('a-job', false, 'alice')")
    database.execute("SELECT toggle_cron_job('a-job', false, 'bob')")  # no change
    database.execute("SET application_name = 'callboard api'")
    database.execute("UPDATE cron_job_config SET enabled = true")
    rows = database.execute(
        "SELECT who, action, after FROM callboard.audit ORDER BY id DESC LIMIT 1"
    ).fetchall()
    assert rows == [{"who": "alice", "action": "disable_job", "after": {"enabled": False}}]


def test_schedules_count_from_the_moment_of_a_change_on_and_announce_it(database: Database) -> None:
    # Given a schedule whose slots are decided up to an hour ago
    database.execute(
        "INSERT INTO callboard.schedules (job_name, key, expr, checked_until, args)"
        " VALUES ('a-job', 'x', '* * * * *', %s, %s)",
        (NOW - HOUR, Jsonb([])),
    )
    database.execute("LISTEN callboard_schedules")
    checked = "SELECT checked_until FROM callboard.schedules"
    # When the scheduler moves on, nobody is told
    database.execute("UPDATE callboard.schedules SET checked_until = %s", (NOW - HOUR / 2,))
    # When its expression changes, slots of the past are not those of the new expression
    database.execute("UPDATE callboard.schedules SET expr = '*/2 * * * *'")
    row = database.execute(checked).fetchone()
    assert row is not None
    assert row["checked_until"] >= NOW
    # Expect one notice in all
    assert len(list(database.notifies(timeout=1))) == 1
