"""What code declares follows the code; what an operator changed stays."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.core.errors import BadInput
from callboard.storage.engine import psycopg_url
from callboard.storage.registry import register_jobs
from helpers.runs import HOUR, NOW, Database, one


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def schedule(expr: str = "0 8 * * *", key: str = "code:0", **more: Any) -> dict[str, Any]:
    return {"key": key, "expr": expr, **more}


def job(name: str = "a-job", *schedules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "schedules": list(schedules), **more}


def register(database: Database, *jobs: dict[str, Any], source: str = "app.jobs") -> None:
    with database.transaction():
        register_jobs(database, source, jobs)


def the_schedule(database: Database, key: str = "code:0") -> dict[str, Any]:
    return one(database, "SELECT * FROM callboard.schedules WHERE key = %s", key)


def enabled(database: Database, name: str = "a-job") -> bool:
    answer: bool = one(database, "SELECT enabled FROM cron_job_config WHERE job_name = %s", name)["enabled"]
    return answer


def test_a_job_is_entered_with_its_switch_and_its_schedules(database: Database) -> None:
    register(
        database,
        job(
            "a-job",
            schedule("0 8 * * *", tz="Europe/Paris", args=[1], kwargs={"dry": True}, misfire="run_all",
                     misfire_limit=7, grace_ms=5000),
            queue="reports", description="Sends reports", category="analytics", enabled=False,
            options={"mutex": True}, time_limit_ms=600_000, max_attempts=3,
            signature=[{"name": "day", "required": True}],
        ),
    )  # fmt: skip
    row = one(database, "SELECT * FROM callboard.jobs")
    assert row.pop("first_seen_at") == row.pop("last_seen_at")
    assert row == {
        "name": "a-job", "queue": "reports", "description": "Sends reports", "category": "analytics",
        "source": "app.jobs", "declared": True, "enabled_default": False, "options": {"mutex": True},
        "time_limit_ms": 600_000, "max_attempts": 3, "signature": [{"name": "day", "required": True}],
    }  # fmt: skip
    assert enabled(database) is False
    found = the_schedule(database)
    assert found["checked_until"] > NOW - HOUR
    holds = {
        "expr": "0 8 * * *", "tz": "Europe/Paris", "args": [1], "kwargs": {"dry": True}, "misfire": "run_all",
        "misfire_limit": 7, "grace_ms": 5000,
    }  # fmt: skip
    assert {name: found[name] for name in holds} == found["declared"] == holds
    assert (found["job_name"], found["origin"], found["enabled"]) == ("a-job", "code", True)


def test_registering_the_same_again_changes_and_announces_nothing(database: Database) -> None:
    register(database, job("a-job", schedule()))
    before = the_schedule(database)
    database.execute("LISTEN callboard_schedules")
    database.execute("LISTEN callboard_control")
    register(database, job("a-job", schedule()))
    assert the_schedule(database) == before
    assert list(database.notifies(timeout=0.3)) == []


def test_a_schedule_that_nobody_touched_follows_the_code_from_now_on(database: Database) -> None:
    register(database, job("a-job", schedule("0 8 * * *")))
    database.execute("UPDATE callboard.schedules SET checked_until = now() - interval '3 hours'")
    register(database, job("a-job", schedule("30 9 * * *", args=[2])))
    row = the_schedule(database)
    assert (row["expr"], row["declared"]["expr"], row["args"]) == ("30 9 * * *", "30 9 * * *", [2])
    assert row["checked_until"] > NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    "change",
    [
        "expr = '*/5 * * * *'", "tz = 'Asia/Tokyo'", "args = '[7]'", "kwargs = '{\"dry\": true}'",
        "misfire = 'skip'", "misfire_limit = 3", "grace_ms = 1",
    ],
)  # fmt: skip
def test_a_schedule_that_an_operator_changed_stays_as_it_was_changed(database: Database, change: str) -> None:
    register(database, job("a-job", schedule("0 8 * * *")))
    database.execute(f"UPDATE callboard.schedules SET {change}")
    changed = the_schedule(database)
    register(database, job("a-job", schedule("30 9 * * *", tz="Europe/Rome", args=[2])))
    row = the_schedule(database)
    declared = row["declared"]
    assert (declared["expr"], declared["tz"], declared["args"]) == ("30 9 * * *", "Europe/Rome", [2])
    assert {name: row[name] for name in declared} == {name: changed[name] for name in declared}


def test_a_schedule_of_an_operators_own_is_not_the_codes_business(database: Database) -> None:
    register(database, job("a-job", schedule()))
    database.execute(
        "INSERT INTO callboard.schedules (job_name, key, expr) VALUES ('a-job', 'extra', '0 9 * * *')"
    )
    register(database, job("a-job"))
    assert the_schedule(database, "extra")["enabled"] is True
    assert the_schedule(database)["enabled"] is False


def test_a_switch_that_an_operator_turned_outlives_a_deploy(database: Database) -> None:
    register(database, job("a-job", enabled=True))
    database.execute("UPDATE cron_job_config SET enabled = false, notes = 'broken'")
    register(database, job("a-job", enabled=True))
    assert one(database, "SELECT enabled, notes FROM cron_job_config") == {
        "enabled": False,
        "notes": "broken",
    }


def test_a_switch_that_nobody_turned_follows_the_codes_new_default(database: Database) -> None:
    register(database, job("a-job", enabled=True))
    register(database, job("a-job", enabled=False))
    assert enabled(database) is False
    register(database, job("a-job", enabled=True))
    assert enabled(database) is True


def test_a_switch_set_before_its_job_was_known_is_kept(database: Database) -> None:
    database.execute("INSERT INTO cron_job_config (job_name, enabled) VALUES ('a-job', false)")
    register(database, job("a-job", enabled=True))
    assert enabled(database) is False


def test_what_a_source_no_longer_declares_is_retired_until_it_comes_back(database: Database) -> None:
    # Given a job with two schedules, one of which an operator switched off, and another source's job
    register(
        database, job("a-job", schedule(key="code:0"), schedule("0 9 * * *", key="code:1")), job("b-job")
    )
    register(database, job("other", schedule(key="code:9")), source="other.jobs")
    database.execute("UPDATE callboard.schedules SET enabled = false WHERE key = 'code:1'")
    # When the first source declares only its other job
    register(database, job("b-job"))
    # Expect the job and its schedules to be off, and those of the other source to be untouched
    rows = database.execute("SELECT name, declared FROM callboard.jobs ORDER BY name").fetchall()
    assert [tuple(row.values()) for row in rows] == [("a-job", False), ("b-job", True), ("other", True)]
    assert [the_schedule(database, f"code:{n}")["enabled"] for n in (0, 1, 9)] == [False, False, True]
    # When it comes back, the schedule that the operator switched off stays off
    register(
        database, job("a-job", schedule(key="code:0"), schedule("0 9 * * *", key="code:1")), job("b-job")
    )
    assert [the_schedule(database, f"code:{n}")["enabled"] for n in (0, 1)] == [True, False]
    assert the_schedule(database)["checked_until"] > NOW - HOUR


def test_a_schedule_that_is_declared_anew_does_not_make_up_for_its_absence(database: Database) -> None:
    register(database, job("a-job", schedule()))
    register(database, job("a-job"))
    database.execute("UPDATE callboard.schedules SET checked_until = now() - interval '3 days'")
    register(database, job("a-job", schedule()))
    assert the_schedule(database)["checked_until"] > NOW - HOUR


def test_a_source_may_take_a_job_over(database: Database) -> None:
    register(database, job("a-job", schedule()), source="old.jobs")
    register(database, job("a-job", schedule()), source="new.jobs")
    register(database, source="old.jobs")
    assert one(database, "SELECT source, declared FROM callboard.jobs") == {
        "source": "new.jobs",
        "declared": True,
    }
    assert the_schedule(database)["enabled"] is True


def test_many_workers_may_register_at_once(database: Database, database_url: str) -> None:
    jobs = [job(f"job-{number}", schedule()) for number in range(30)]
    failures: list[BaseException] = []

    def start(turn: int) -> None:
        try:
            with psycopg.connect(psycopg_url(database_url), row_factory=dict_row) as connection:
                register_jobs(connection, "app.jobs", jobs if turn % 2 else jobs[::-1])
        except psycopg.Error as error:
            failures.append(error)

    crowd = [threading.Thread(target=start, args=(turn,)) for turn in range(6)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(timeout=30)
    assert failures == []
    assert one(database, "SELECT count(*) AS n FROM callboard.schedules") == {"n": 30}
    assert one(database, "SELECT count(*) AS n FROM cron_job_config") == {"n": 30}


def test_an_insert_after_a_registration_in_its_transaction_changes_the_switch(
    database: Database,
) -> None:
    with database.transaction():
        register_jobs(database, "app.jobs", [job("a-job")])
        database.execute("INSERT INTO cron_job_config (job_name, enabled) VALUES ('a-job', false)")
    assert enabled(database) is False


def test_a_name_that_is_too_long_or_there_twice_is_refused_with_a_sentence(database: Database) -> None:
    with pytest.raises(BadInput, match="has 101 characters; shorten it to 100"):
        register(database, job("x" * 101))
    with pytest.raises(BadInput, match="a-job is declared twice"):
        register(database, job("a-job"), job("a-job"))


def test_applications_that_do_not_say_where_their_jobs_come_from_leave_each_others_alone(
    database: Database,
) -> None:
    # Given two applications of one fleet, whose brokers were made without a source
    register(database, job("one", schedule()), source="")
    register(database, job("other", schedule()), source="")

    # Then the jobs and schedules of both count
    rows = database.execute(
        "SELECT j.name, j.declared, s.enabled FROM callboard.jobs j"
        " JOIN callboard.schedules s ON s.job_name = j.name ORDER BY 1"
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [("one", True, True), ("other", True, True)]

    # And a schedule that a job has no more is retired all the same
    register(database, job("other"), source="")
    assert not one(database, "SELECT enabled FROM callboard.schedules WHERE job_name = 'other'")["enabled"]
