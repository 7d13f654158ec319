"""`callboard jobs`: tables, JSON, and what is said where it cannot be done."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, text

import callboard.cli.run as run_command
from helpers.waiting import wait_for


def test_the_list_has_a_row_for_each_job_with_its_schedule_in_words(run: Any, installed: Engine) -> None:
    done = run("jobs", "list")
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "Every 5 minutes" in rows["health-check"]
    assert "No schedule" in rows["greet"]


def test_the_list_of_one_category_has_no_other(run: Any, installed: Engine) -> None:
    assert "health-check" not in run("jobs", "list", "--category", "people").out
    assert "there are: monitoring, people" in run("jobs", "list", "--category", "nonsense").err


def test_the_list_is_whole_where_it_is_piped(run: Any, installed: Engine) -> None:
    name = "a-long-name-" * 8
    rename = text("UPDATE callboard.jobs SET name = :name WHERE name = 'greet'")
    with installed.begin() as connection:
        connection.execute(rename, {"name": name})
    assert name in run("jobs", "list").out


def test_json_is_complete_and_valid(run: Any, installed: Engine) -> None:
    listed = json.loads(run("jobs", "list", "--json").out)
    assert {each["name"] for each in listed} == {"health-check", "greet"}
    shown = json.loads(run("jobs", "show", "health-check", "--json").out)
    assert shown["schedule_words"] == "Every 5 minutes"
    assert json.loads(run("jobs", "history", "health-check", "--json").out) == []


def test_a_job_is_shown_with_its_arguments(run: Any, installed: Engine) -> None:
    assert "name: str, [times: int]" in run("jobs", "show", "greet").out


def test_brackets_are_shown_as_brackets(run: Any, installed: Engine) -> None:
    run("jobs", "disable", "greet", "--notes", "[/until] the [red]move[/red]")
    shown = run("jobs", "show", "greet")
    assert shown.code == 0
    assert "[/until] the [red]move[/red]" in shown.out


@pytest.mark.parametrize("command", ["show", "history", "run", "enable", "disable"])
def test_an_unknown_job_is_told_with_those_that_come_close(run: Any, installed: Engine, command: str) -> None:
    done = run("jobs", command, "helth-check")
    assert done.code == 1
    assert done.err == "There is no job named 'helth-check'. Did you mean health-check?\n"


def test_what_would_command_a_terminal_is_shown_instead(run: Any, installed: Engine) -> None:
    with installed.begin() as connection:
        connection.execute(
            text("UPDATE callboard.jobs SET description = :words WHERE name = 'greet'"),
            {"words": "\x1b]0;mine\x07 greets \x1b[2J"},
        )
    shown = run("jobs", "show", "greet")
    assert "greets" in shown.out
    assert not set(shown.out + run("jobs", "show", "\x1b[2J").err) & {"\x1b", "\x07"}


def test_a_job_is_switched_off_and_on(run: Any, installed: Engine) -> None:
    assert run("jobs", "disable", "greet", "--notes", "for now").out == "greet is switched off.\n"
    assert run("jobs", "disable", "greet").out == "greet was switched off already.\n"
    assert "disabled" in run("jobs", "list", "--category", "people").out
    assert "for now" in run("jobs", "show", "greet").out
    refused = run("jobs", "run", "greet", "Ada")
    assert refused.code == 1
    assert "switched off" in refused.err
    assert json.loads(run("jobs", "enable", "greet", "--json").out)["enabled"] is True


def test_who_switched_a_job_is_in_the_audit_trail(run: Any, installed: Engine) -> None:
    run("jobs", "disable", "greet")
    with installed.connect() as connection:
        row = connection.execute(text("SELECT origin, action, target, outcome FROM callboard.audit")).one()
    assert tuple(row) == ("cli", "disable_job", "greet", "done")


def test_a_run_takes_arguments_by_place_and_by_name(run: Any, installed: Engine) -> None:
    assert run("jobs", "run", "greet", "Ada").code == 0
    assert run("jobs", "run", "greet", "--set", "name=Grace").code == 0
    with installed.connect() as connection:
        rows = connection.execute(text("SELECT args, kwargs FROM callboard.runs ORDER BY enqueued_at")).all()
    assert [tuple(row) for row in rows] == [(["Ada"], {}), ([], {"name": "Grace"})]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "needs the argument 'name'"),
        (["42"], "must be str, not 42"),
        (["--set", "nonsense"], "--set takes NAME=VALUE"),
        (["Ada", "--set", "age=3"], "no argument 'age'"),
    ],
)
def test_arguments_that_the_job_does_not_take_are_refused_at_once(
    run: Any, installed: Engine, arguments: list[str], words: str
) -> None:
    done = run("jobs", "run", "greet", *arguments)
    assert done.code == 2
    assert words in done.err


@contextmanager
def outcome(engine: Engine, **columns: object) -> Iterator[None]:
    """Give the run that comes next these columns, as the recorder would."""
    columns = {"state": "succeeded", "rank": 19, "attempt": 1, "duration_ms": 40, **columns}
    changes = ", ".join(f"{name} = :{name}" for name in columns)

    def end() -> None:
        def ended() -> bool:
            with engine.begin() as connection:
                statement = text(
                    f"UPDATE callboard.runs SET {changes}, started_at = now(), attempt_started_at = now()"
                    " WHERE state = 'pending'"
                )
                return bool(connection.execute(statement, columns).rowcount)

        wait_for(ended, what="a run")

    thread = threading.Thread(target=end)
    thread.start()
    yield
    thread.join()


Waiting = Callable[..., Any]


def test_waiting_tells_the_outcome_and_the_result(run: Any, installed: Engine) -> None:
    with outcome(installed, result='{"processed": 3}'):
        done = run("jobs", "run", "health-check", "--wait")
    assert done.code == 0
    assert done.out.splitlines() == ["health-check succeeded after 40 ms", '{"processed":3}']


@pytest.mark.parametrize("state", ["failed", "dead", "cancelled", "skipped"])
def test_waiting_for_a_run_that_does_not_succeed_ends_with_1(run: Any, installed: Engine, state: str) -> None:
    why = {"error_type": "ValueError", "error": "of no use"} if state == "failed" else {"reason": "so it was"}
    with outcome(installed, state=state, **why):
        done = run("jobs", "run", "health-check", "--wait")
    assert done.code == 1
    assert f"health-check {state}" in done.out
    assert done.err.strip() == ("ValueError: of no use" if state == "failed" else "so it was")


def test_waiting_gives_up_in_time_and_says_so(run: Any, installed: Engine) -> None:
    for seconds in ("0", "0.3"):
        done = run("jobs", "run", "health-check", "--wait", "--timeout", seconds)
        assert done.code == 1
        assert f"has not ended after {seconds} s" in done.err
    with outcome(installed, state="processing", rank=15):
        done = run("jobs", "run", "health-check", "--wait", "--timeout", "1")
    assert done.code == 1


def test_a_note_with_brackets_is_shown_while_the_run_goes_on(
    run: Any, installed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(run_command, "err", Console(file=shown, force_terminal=True, width=120))
    said = '{"done": 1, "total": 2, "note": "[/half] way"}'
    with outcome(installed, state="processing", rank=15, progress=said):
        done = run("jobs", "run", "health-check", "--wait", "--timeout", "1")
    assert done.code == 1
    assert "1 of 2  [/half] way" in shown.getvalue()


def test_the_outcome_as_json_is_the_whole_run(run: Any, installed: Engine) -> None:
    with outcome(installed):
        found = json.loads(run("jobs", "run", "health-check", "--wait", "--json").out)
    assert found["run"]["state"] == "succeeded"
    assert found["logs"] == []
