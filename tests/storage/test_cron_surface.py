"""pg_cron's surface: what is written for `cron.schedule` and `cron.job` works as it does there."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row
from sqlalchemy import Engine

from callboard.core.cron import cron
from callboard.core.errors import BadSchedule
from callboard.storage.engine import driver_url, psycopg_url
from callboard.storage.migrate import migrate
from helpers.databases import Databases
from helpers.declarations import declare, job
from helpers.runs import NOW, Database, add_run, one
from helpers.waiting import wait_for

COMMAND = "SELECT 1"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def schedule(
    database: Database, name: str = "mine", expr: str = "*/5 * * * *", command: str = COMMAND
) -> int:
    """Schedule a command under a name; its id."""
    jobid: int = one(database, "SELECT cron.schedule(%s, %s, %s) AS id", name, expr, command)["id"]
    return jobid


def shown(database: Database, jobid: int) -> dict[str, Any]:
    """The row of `cron.job`."""
    return one(database, "SELECT * FROM cron.job WHERE jobid = %s", jobid)


def stored(database: Database, jobid: int) -> dict[str, Any]:
    """The schedule behind it."""
    return one(database, "SELECT * FROM callboard.schedules WHERE id = %s", jobid)


def columns(database: Database, view: str) -> list[tuple[str, str]]:
    """The names and types of a view's columns, in their order."""
    rows = database.execute(
        "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        (view,),
    ).fetchall()
    return [(row["attname"], row["type"]) for row in rows]


def test_the_views_have_the_columns_of_pg_cron(database: Database) -> None:
    assert columns(database, "cron.job") == [
        ("jobid", "bigint"),
        ("schedule", "text"),
        ("command", "text"),
        ("nodename", "text"),
        ("nodeport", "integer"),
        ("database", "text"),
        ("username", "text"),
        ("active", "boolean"),
        ("jobname", "text"),
    ]
    assert columns(database, "cron.job_run_details") == [
        ("jobid", "bigint"),
        ("runid", "bigint"),
        ("job_pid", "integer"),
        ("database", "text"),
        ("username", "text"),
        ("command", "text"),
        ("status", "text"),
        ("return_message", "text"),
        ("start_time", "timestamp with time zone"),
        ("end_time", "timestamp with time zone"),
    ]


def test_a_scheduled_command_is_a_schedule_of_the_job_that_runs_sql(database: Database) -> None:
    database.execute("LISTEN callboard_schedules")
    jobid = schedule(database, "mine", "0 3 * * 1-5")
    row = shown(database, jobid)
    assert (row["jobname"], row["schedule"], row["command"], row["active"]) == (
        "mine", "0 3 * * 1-5", COMMAND, True,
    )  # fmt: skip
    assert row["database"] == database.info.dbname
    assert row["username"].startswith("callboard_sql_")
    behind = stored(database, jobid)
    assert (behind["job_name"], behind["expr"], behind["tz"], behind["origin"]) == (
        "run-sql", "0 3 * * 1-5", "UTC", "operator",
    )  # fmt: skip
    assert behind["kwargs"] == {"name": "mine", "command": COMMAND}
    assert [notice.payload for notice in database.notifies(timeout=5, stop_after=1)] == [str(jobid)]


def test_scheduling_a_name_again_changes_it_and_leaves_its_switch(database: Database) -> None:
    jobid = schedule(database)
    database.execute("UPDATE cron.job SET active = false WHERE jobname = 'mine'")
    assert schedule(database, "mine", "30 seconds", "SELECT 2") == jobid
    row = shown(database, jobid)
    assert (row["schedule"], row["command"], row["active"]) == ("30 seconds", "SELECT 2", False)
    assert one(database, "SELECT count(*) AS n FROM cron.job") == {"n": 1}


def test_a_schedule_needs_no_name(database: Database) -> None:
    query = "SELECT cron.schedule('* * * * *', 'SELECT 1') AS id"
    first, second = one(database, query)["id"], one(database, query)["id"]
    assert first != second
    assert shown(database, first)["jobname"] is None
    assert one(database, "SELECT cron.unschedule(%s::bigint) AS done", first) == {"done": True}
    assert [row["jobid"] for row in database.execute("SELECT jobid FROM cron.job")] == [second]


def test_what_is_rolled_back_is_not_scheduled(database: Database) -> None:
    with database.transaction(force_rollback=True):
        schedule(database)
    assert one(database, "SELECT count(*) AS n FROM cron.job") == {"n": 0}


def test_alter_job_changes_what_is_given_and_leaves_the_rest(database: Database) -> None:
    jobid = schedule(database)
    database.execute("SELECT cron.alter_job(job_id := %s, schedule := '0 4 * * *')", (jobid,))
    database.execute("SELECT cron.alter_job(%s, command := 'SELECT 3')", (jobid,))
    database.execute("SELECT cron.alter_job(%s, NULL, NULL, current_database(), NULL, false)", (jobid,))
    row = shown(database, jobid)
    assert (row["schedule"], row["command"], row["active"]) == ("0 4 * * *", "SELECT 3", False)
    assert stored(database, jobid)["kwargs"] == {"name": "mine", "command": "SELECT 3"}


@pytest.mark.parametrize("change", ["database := 'elsewhere'", "username := 'postgres'"])
def test_where_and_as_whom_commands_run_cannot_be_changed(database: Database, change: str) -> None:
    jobid = schedule(database)
    with pytest.raises(errors.FeatureNotSupported, match="can be changed") as caught:
        database.execute(f"SELECT cron.alter_job({jobid}, {change})")
    assert "callboard_sql_" in (caught.value.diag.message_hint or "")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT cron.alter_job(12345, active := false)",
        "SELECT cron.alter_job(NULL, active := false)",
        "SELECT cron.unschedule(12345)",
        "SELECT cron.unschedule('nobody')",
    ],
)
def test_a_schedule_that_is_not_there_is_named(database: Database, statement: str) -> None:
    with pytest.raises(errors.NoDataFound, match="There is no schedule") as caught:
        database.execute(statement)
    assert "cron.job" in (caught.value.diag.message_hint or "")


def test_the_row_can_be_updated_renamed_and_deleted(database: Database) -> None:
    jobid = schedule(database)
    database.execute("UPDATE cron.job SET jobname = 'other', schedule = '@daily' WHERE jobid = %s", (jobid,))
    row = shown(database, jobid)
    assert (row["jobname"], row["schedule"]) == ("other", "@daily")
    assert stored(database, jobid)["kwargs"]["name"] == "other"
    assert database.execute("DELETE FROM cron.job WHERE jobname = 'other'").rowcount == 1
    assert one(database, "SELECT count(*) AS n FROM callboard.schedules") == {"n": 0}


def test_of_two_who_change_different_things_at_once_both_have_their_way(
    database: Database, database_url: str
) -> None:
    jobid = schedule(database)
    with (
        psycopg.connect(psycopg_url(database_url)) as first,
        psycopg.connect(psycopg_url(database_url), autocommit=True) as second,
    ):
        first.execute("UPDATE cron.job SET active = false WHERE jobid = %s", (jobid,))
        waiting = threading.Thread(
            target=second.execute, args=("UPDATE cron.job SET schedule = '@daily', command = 'SELECT 2'",)
        )
        waiting.start()
        blocked = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: one(database, blocked)["n"], what="the second to wait for the first")
        first.commit()
        waiting.join(timeout=10)
    row = shown(database, jobid)
    assert (row["active"], row["schedule"], row["command"]) == (False, "@daily", "SELECT 2")
    assert stored(database, jobid)["kwargs"] == {"name": "mine", "command": "SELECT 2"}


def test_two_schedules_cannot_have_one_name(database: Database) -> None:
    schedule(database, "first")
    schedule(database, "second")
    with pytest.raises(errors.InvalidParameterValue, match="cannot have the name"):
        database.execute("UPDATE cron.job SET jobname = 'first' WHERE jobname = 'second'")
    with pytest.raises(errors.UniqueViolation, match='There is a schedule "first" already'):
        database.execute(
            "INSERT INTO cron.job (jobname, schedule, command) VALUES ('first', '* * * * *', 'SELECT 1')"
        )


def test_every_change_by_sql_is_in_the_audit_trail(database: Database) -> None:
    schedule(database)
    database.execute("UPDATE cron.job SET active = false")
    database.execute("SELECT cron.unschedule('mine')")
    rows = database.execute("SELECT * FROM callboard.audit ORDER BY id").fetchall()
    assert [row["action"] for row in rows] == ["create_schedule", "edit_schedule", "delete_schedule"]
    assert {(row["origin"], row["target"]) for row in rows} == {("sql", "mine")}
    assert (rows[1]["before"]["active"], rows[1]["after"]["active"]) == (True, False)


def test_schedules_of_the_code_are_shown_switched_and_rescheduled_but_not_removed(
    database: Database, engine: Any
) -> None:
    declare(engine, job("game-sync", "*/30 * * * *", "0 4 * * *"))
    rows = database.execute("SELECT * FROM cron.job ORDER BY jobid").fetchall()
    assert [row["jobname"] for row in rows] == ["game-sync", "game-sync:2"]
    assert rows[0]["command"] == (
        "SELECT public.job_queue_enqueue(p_task_type := 'game-sync', p_payload := '{}'::jsonb)"
    )
    database.execute("UPDATE cron.job SET active = false WHERE jobname = 'game-sync'")
    database.execute("SELECT cron.alter_job(%s, schedule := '5 * * * *')", (rows[0]["jobid"],))
    behind = stored(database, rows[0]["jobid"])
    assert (behind["enabled"], behind["expr"], behind["job_name"]) == (False, "5 * * * *", "game-sync")
    # And a deploy leaves it so
    declare(engine, job("game-sync", "*/30 * * * *", "0 4 * * *"))
    behind = stored(database, rows[0]["jobid"])
    assert (behind["enabled"], behind["expr"]) == (False, "5 * * * *")
    for statement in (
        "SELECT cron.unschedule('game-sync')",
        "DELETE FROM cron.job",
        "SELECT cron.schedule('game-sync', '* * * * *', 'SELECT 1')",
        "UPDATE cron.job SET command = 'SELECT 1'",
        "UPDATE cron.job SET jobname = 'x' WHERE jobname = 'game-sync'",
    ):
        with pytest.raises(errors.FeatureNotSupported, match="declared in code") as caught:
            database.execute(statement)
        assert caught.value.diag.message_hint


def test_a_schedule_that_an_operator_made_of_a_job_is_taken_over_and_not_doubled(database: Database) -> None:
    database.execute(
        "INSERT INTO callboard.schedules (job_name, key, expr, kwargs)"
        """ VALUES ('sync', 'game_platform_sync_incremental', '*/30 * * * *', '{"dry_run": true}')"""
    )
    before = one(database, "SELECT * FROM cron.job")
    assert before["jobname"] == "game_platform_sync_incremental"
    assert """p_payload := '{"dry_run": true}'""" in before["command"]
    database.execute("UPDATE cron.job SET active=false WHERE jobname = 'game_platform_sync_incremental'")
    assert stored(database, before["jobid"])["enabled"] is False
    assert stored(database, before["jobid"])["job_name"] == "sync"
    jobid = schedule(database, "game_platform_sync_incremental", "*/15 * * * *")
    assert jobid == before["jobid"]
    assert stored(database, jobid)["job_name"] == "run-sql"
    assert one(database, "SELECT count(*) AS n FROM cron.job") == {"n": 1}


@pytest.mark.parametrize(
    ("written", "expr"),
    [
        ("30 seconds", "*/30 * * * * *"),
        ("1 second", "*/1 * * * * *"),
        ("0 12 $ * *", "0 12 L * *"),
        ("  */5   *\t* * * ", "*/5 * * * *"),
        ("@Hourly", "@hourly"),
        ("0 0 * jan-mar mon,5L", "0 0 * jan-mar mon,5L"),
        ("15,45 0-23/2 1 */3 7", "15,45 0-23/2 1 */3 7"),
        ("*/10 * * * * *", "*/10 * * * * *"),
        ("0 9 LW * mon#2", "0 9 LW * mon#2"),
    ],
)
def test_schedules_are_read_in_pg_crons_way(database: Database, written: str, expr: str) -> None:
    jobid = schedule(database, expr=written)
    assert stored(database, jobid)["expr"] == expr
    cron(expr)
    # What is shown may be given back
    again = shown(database, jobid)["schedule"]
    assert one(database, "SELECT callboard.cron_expression(%s) AS expr", again) == {"expr": expr}


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "* * * *", "* * * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 8", "5-1 * * * *", "*/0 * * * *", "*/61 * * * *", "a * * * *", "* * * foo *", "1,,2 * * * *",
        "* * * * mon#6", "45 seconds", "0 seconds", "90 seconds", "@reboot", "every minute", "L * * * *",
        "* * * L *", "*;DROP * * * *", "$ * * * *", "x" * 600,
    ],
)  # fmt: skip
def test_a_schedule_that_makes_no_sense_is_refused_with_a_sentence(database: Database, written: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        schedule(database, expr=written)
    assert (caught.value.diag.message_primary or "").endswith(".")
    assert caught.value.diag.message_hint
    # Nothing is refused here that the scheduler could read; but it knows no seconds in words
    with pytest.raises(BadSchedule):
        cron(written)


@pytest.mark.parametrize("command", ["", "  ", "SELECT '" + "x" * 60_000 + "'"])
def test_a_command_that_is_none_is_refused(database: Database, command: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="SQL of 1 to 60000 bytes"):
        schedule(database, command=command)


@pytest.mark.parametrize("name", ["", "x" * 101, "unnamed:7"])
def test_a_name_that_would_not_do_is_refused(database: Database, name: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="cannot have the name"):
        schedule(database, name)


def test_runs_of_a_schedule_are_told_in_pg_crons_words_the_latest_with_the_largest_number(
    database: Database,
) -> None:
    jobid = schedule(database)
    words = {}
    for state in ("pending", "processing", "succeeded", "failed", "cancelled", "skipped", "dead"):
        words[state] = add_run(
            database,
            state,
            job="run-sql",
            schedule_id=jobid,
            kwargs=psycopg.types.json.Jsonb({"name": "mine", "command": COMMAND}),
            result=psycopg.types.json.Jsonb({"message": "1 row", "pid": 7}) if state == "succeeded" else None,
            error="ERROR:  it broke" if state == "failed" else None,
        )
    rows = database.execute("SELECT * FROM cron.job_run_details WHERE jobid = %s", (jobid,)).fetchall()
    assert sorted(row["status"] for row in rows) == ["failed"] * 4 + ["running", "starting", "succeeded"]
    done = next(row for row in rows if row["status"] == "succeeded")
    assert (done["command"], done["return_message"], done["job_pid"]) == (COMMAND, "1 row", 7)
    assert "ERROR:  it broke" in {row["return_message"] for row in rows}
    assert len({row["runid"] for row in rows}) == len(rows)
    add_run(database, "succeeded", job="run-sql", schedule_id=jobid, started_at=NOW)
    query = "SELECT start_time FROM cron.job_run_details ORDER BY runid DESC LIMIT 1"
    assert one(database, query) == {"start_time": NOW}


def test_nobody_may_schedule_without_the_right_to_use_the_schema(database: Database) -> None:
    role = f"nobody_{database.info.dbname}"
    database.execute(f"CREATE ROLE {role}")
    database.execute(f"SET ROLE {role}")
    with pytest.raises(errors.InsufficientPrivilege):
        schedule(database)
    database.execute("RESET ROLE")
    database.execute(f"GRANT USAGE ON SCHEMA cron TO {role}")
    database.execute(f"SET ROLE {role}")
    assert schedule(database)


@pytest.mark.parametrize(
    "theirs", ["SELECT 1", "GRANT ALL ON SCHEMA cron TO PUBLIC; CREATE TABLE cron.job (jobid bigint)"]
)
def test_a_schema_of_that_name_that_is_somebody_elses_is_left_alone(
    databases: Databases, theirs: str
) -> None:
    url = databases.empty()
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(psycopg_url(url), autocommit=True) as boss:
        boss.execute(f"CREATE ROLE tenant_{name} LOGIN")
        boss.execute(f"ALTER DATABASE {name} OWNER TO tenant_{name}")
        boss.execute("CREATE SCHEMA cron")
        boss.execute(theirs)
        migrate(driver_url(url).set(username=f"tenant_{name}").render_as_string(hide_password=False))
        found = boss.execute(
            "SELECT to_regprocedure('cron.schedule(text, text, text)'), to_regclass('job_queue')::text"
        ).fetchone()
        assert found == (None, "job_queue")
    databases.drop(url)


def test_a_schedule_that_code_has_named_is_known_by_that_name(database: Database, engine: Engine) -> None:
    # Given a job with a schedule that has a name, and one that has none
    named, other = job("sync", "*/30 * * * *", "0 3 * * *")["schedules"]
    declare(engine, job("sync") | {"schedules": [named | {"key": "sync_incremental"}, other]})
    # When it is rescheduled and switched off by that name
    database.execute(
        """
        SELECT cron.alter_job(
          job_id := (SELECT jobid FROM cron.job WHERE jobname = 'sync_incremental'),
          schedule := '5 * * * *'
        )
        """
    )
    database.execute("UPDATE cron.job SET active = false WHERE jobname = 'sync_incremental'")
    # Expect that
    rows = database.execute("SELECT jobname, schedule, active FROM cron.job ORDER BY jobname").fetchall()
    assert rows == [
        {"jobname": "sync:2", "schedule": "0 3 * * *", "active": True},
        {"jobname": "sync_incremental", "schedule": "5 * * * *", "active": False},
    ]
    with pytest.raises(errors.FeatureNotSupported, match="declared in code"):
        database.execute("SELECT cron.unschedule('sync_incremental')")
