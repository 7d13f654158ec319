"""`callboard doctor`, `env`, `migrate` and `psql`."""

import json
import os
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.core.settings import Settings
from helpers.answering import Answer, answering
from helpers.databases import Databases
from helpers.terminal import callboard


def _findings(run: Any) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(run("doctor", "--json").out)}


def test_the_doctor_says_what_to_do_where_nothing_runs(run: Any) -> None:
    done = run("doctor")
    assert done.code == 1
    assert "✓ Python" in done.out
    assert "Start `callboard up`" in done.out
    assert "✗ PostgreSQL" in done.out
    assert "✗ Redis" in done.out


def test_the_doctor_names_the_parts_that_are_missing(run: Any, installed: Engine) -> None:
    found = _findings(run)
    assert {name: each["status"] for name, each in found.items()} == {
        "Python": "ok",
        "Instance": "ok",
        "Disk": "ok",
        "Services": "warn",
        "PostgreSQL": "ok",
        "Redis": "ok",
        "Schema": "ok",
        "Workers": "fail",
        "Scheduler": "fail",
        "Recorder": "fail",
        "Slots": "ok",
        "Outbox": "ok",
        "Alerts": "ok",
    }
    for part in ("worker", "scheduler", "recorder"):
        assert any(f"callboard {part}" in (each["advice"] or "") for each in found.values())


def test_the_doctor_sees_slots_that_nobody_decides(run: Any, installed: Engine) -> None:
    from sqlalchemy import text

    with installed.begin() as connection:
        connection.execute(text("UPDATE callboard.schedules SET checked_until = now() - interval '1 hour'"))
    found = _findings(run)["Slots"]
    assert found["status"] == "fail"
    assert "health-check" in found["detail"]


def test_the_doctor_sees_what_waits_to_be_sent(run: Any, installed: Engine) -> None:
    from sqlalchemy import text

    with installed.begin() as connection:
        connection.execute(text("SELECT callboard.request_run('health-check', '[]', '{}', 'a test')"))
        connection.execute(text("UPDATE callboard.outbox SET created_at = now() - interval '30 seconds'"))
    found = _findings(run)["Outbox"]
    assert found["status"] == "warn"
    assert "1 message" in found["detail"]


def test_the_doctor_sees_a_schema_that_is_out_of_date(
    run: Any, databases: Databases, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.empty()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    found = _findings(run)
    assert found["Schema"]["status"] == "fail"
    assert found["Schema"]["advice"] == "Run `callboard migrate`."
    assert "Workers" not in found

    # And what it advises helps.
    assert run("migrate").out == "The database is migrated.\n"
    assert run("migrate").out == "The database is up to date.\n"
    assert _findings(run)["Schema"]["status"] == "ok"
    databases.drop(url)


def test_the_doctor_does_not_call_well_what_it_could_not_ask(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CRON_SECRET", "JOB_RUNNER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with answering() as server:
        server.script = [Answer(), Answer(401)]
        unasked = run("doctor", "--url", server.url)
        server.script = [Answer(), Answer(401)]
        monkeypatch.setenv("JOB_RUNNER_TOKEN", "a-wrong-one")
        wrong = run("doctor", "--url", server.url)

    assert unasked.code == 2
    assert "? Runner     not checked: JOB_RUNNER_TOKEN is not set" in unasked.out
    assert "→ Set JOB_RUNNER_TOKEN to what it is there, or CALLBOARD_API_TOKEN." in unasked.out
    assert unasked.out.endswith("4 of 7 checks could not be made, for want of a token; see above.\n")
    assert wrong.code == 1
    assert wrong.out.endswith("1 of 7 checks failed.\n")


def test_env_is_read_by_a_shell_whatever_the_values_hold(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": "postgresql://a:b$(c)'d\"e@host/x y",
        "REDIS_URL": "redis://host/0",
        "CALLBOARD_API_TOKEN": "a token; rm -rf",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    words = shlex.split(run("env").out)
    assert words[0] == "export"
    assert dict(word.split("=", 1) for word in words[1:]) == values
    assert json.loads(run("env", "--json").out) == values


def test_psql_runs_what_it_is_given(settings: Settings, tmp_path: Path) -> None:
    names = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    done = callboard("psql", "-Atc", "SELECT count(*) FROM cron_job_logs", cwd=tmp_path, env=names)
    assert (done.returncode, done.stdout) == (0, "0\n")
    assert callboard("psql", "-c", "SELECT nonsense", cwd=tmp_path, env=names).returncode != 0


def test_psql_hides_the_password_from_the_process_list(tmp_path: Path) -> None:
    # Given a psql that shows how it was called
    shown = tmp_path / "psql"
    shown.write_text('#!/bin/sh\necho "$@"\necho "password: $PGPASSWORD"\n')
    shown.chmod(shown.stat().st_mode | stat.S_IXUSR)
    names = {
        "DATABASE_URL": "postgresql://ada:p%40ss@db.example:5433/board?sslmode=require",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    called, password = callboard("psql", cwd=tmp_path, env=names).stdout.splitlines()
    assert password == "password: p@ss"
    assert "p@ss" not in called
    assert "p%40ss" not in called
    for fact in ("host=db.example", "port=5433", "user=ada", "dbname=board", "sslmode=require"):
        assert fact in called
