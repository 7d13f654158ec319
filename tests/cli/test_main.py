"""Whatever goes wrong ends with one sentence and an exit code, and never with a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard import __version__
from callboard.cli import commands
from callboard.cli.main import BUG, INTERRUPTED
from callboard.core.settings import Settings
from helpers.terminal import Process, callboard, environment
from helpers.waiting import wait_for

PARTS = ("worker", "scheduler", "recorder", "api", "panel")


def _is_one_sentence(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and text.strip()[-1] in ".?" and "Traceback" not in text


def test_the_version_is_the_packages(run: Any) -> None:
    assert run("--version").out == f"callboard {__version__}\n"


def test_without_a_command_it_shows_what_there_is(run: Any) -> None:
    done = run()
    assert done.code == 0
    for name in ("up", "worker", "doctor", "jobs"):
        assert name in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["jobs", "nonsense"], "see `callboard jobs --help`"),
        (["jobs", "show"], "Missing argument 'JOB'"),
        (["jobs", "list", "--nonsense"], "No such option"),
        (["up", "--threads", "0"], "--threads"),
        (["worker", "--processes", "many"], "--processes"),
    ],
)
def test_misuse_is_told_in_one_sentence(run: Any, arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert words in done.err
    assert _is_one_sentence(done.err), done.err


def test_every_command_has_a_help_of_its_own(run: Any) -> None:
    found = run("--help").out
    for command in (
        "up",
        "worker",
        "scheduler",
        "recorder",
        "api",
        "panel",
        "migrate",
        "doctor",
        "env",
        "psql",
    ):
        assert command in found
        done = run(command, "--help")
        assert done.code == 0
        assert f"callboard {command}" in done.out
    for command in ("list", "show", "run", "enable", "disable", "history"):
        done = run("jobs", command, "--help")
        assert done.code == 0
        assert "Example" in done.out


@pytest.mark.parametrize("command", [["jobs", "list"], ["psql"], ["migrate"], ["env"]])
def test_where_nothing_runs_and_nothing_is_named_it_says_what_to_do(run: Any, command: list[str]) -> None:
    done = run(*command)
    assert done.code in (1, 2)
    assert _is_one_sentence(done.err), done.err
    assert "callboard up" in done.err


@pytest.mark.parametrize("command", [["jobs", "list"], ["jobs", "run", "x"], ["migrate"]])
def test_a_database_that_is_away_is_told_in_one_sentence(
    run: Any, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:1/nowhere")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    done = run(*command)
    assert done.code == 1
    assert _is_one_sentence(done.err), done.err
    assert "PostgreSQL" in done.err
    assert "secret" not in done.err


def test_a_wrong_setting_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOARD_API_PORT", "eighty")
    done = run("up")
    assert done.code == 2
    assert "CALLBOARD_API_PORT" in done.err
    assert _is_one_sentence(done.err)


def test_a_defect_is_told_in_one_sentence_and_shown_only_on_request(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(commands, "app", fail)
    done = run("jobs", "list")
    assert done.code == BUG
    assert "ZeroDivisionError: division by zero" in done.err
    assert "Traceback" not in done.err
    for name in ("LOG_LEVEL", "CALLBOARD_LOG_LEVEL"):
        monkeypatch.setenv(name, "DEBUG")
        assert "Traceback" in run("jobs", "list").err
        monkeypatch.setenv(name, "INFO")


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "callboard.cli.main", "--help"],
            cwd=tmp_path,
            env=environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode in (0, 1)
    assert done.stderr == ""


def test_ctrl_c_ends_the_wait_and_not_the_run(settings: Settings, installed: Any, tmp_path: Path) -> None:
    names = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CALLBOARD_NAMESPACE": settings.callboard_namespace,
    }
    with Process("jobs", "run", "health-check", "--wait", cwd=tmp_path, env=names) as waiting:
        wait_for(lambda: _sent(installed), 60, "the run")
        assert waiting.end(signal.SIGINT) in (INTERRUPTED, -signal.SIGINT), waiting.said
        assert "goes on" in waiting.said
        assert "Traceback" not in waiting.said


def _sent(engine: Engine) -> bool:
    """Whether a run was asked for and has left the outbox."""
    with engine.connect() as connection:
        asked = connection.scalar(text("SELECT count(*) FROM callboard.runs"))
        return bool(asked) and not connection.scalar(text("SELECT count(*) FROM callboard.outbox"))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_servers_says_which_setting_it_needs(tmp_path: Path, part: str) -> None:
    done = callboard(part, cwd=tmp_path)
    assert done.returncode == 2
    assert _is_one_sentence(done.stderr), done.stderr
    assert "REDIS_URL" in done.stderr or "DATABASE_URL" in done.stderr
