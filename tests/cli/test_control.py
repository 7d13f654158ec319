"""`callboard runs`, `callboard queues`, `callboard jobs pause` and `callboard breakers`."""

import json
from typing import Any

from sqlalchemy import Engine

from callboard.core.keys import Keys
from callboard.core.settings import Settings


def test_a_queue_is_paused_shown_and_resumed(run: Any, installed: Engine) -> None:
    said = run("queues", "pause", "default", "--reason", "maintenance")
    assert said.out == "The queue default is paused: maintenance\n"
    shown = run("queues", "list").out
    assert "The queue default is paused by" in shown
    assert "maintenance" in shown
    assert run("queues", "resume", "default").out == "The queue default goes on.\n"
    assert run("queues", "resume", "default").out == "The queue default was not paused.\n"
    assert "paused" not in run("queues", "list").out


def test_everything_is_paused_and_what_runs_is_cancelled(run: Any, installed: Engine) -> None:
    said = run("queues", "pause", "--all", "-r", "stop", "--cancel-running")
    assert said.out == "Everything is paused: stop\n0 running runs cancelled.\n"
    assert json.loads(run("queues", "list", "--json").out)["pauses"][0]["scope"] == "all"
    assert run("queues", "resume", "--all").out == "Everything goes on.\n"


def test_a_job_is_paused_and_resumed(run: Any, installed: Engine) -> None:
    assert run("jobs", "pause", "greet", "-r", "no").out == "The job greet is paused: no\n"
    assert run("jobs", "resume", "greet").out == "The job greet goes on.\n"


def test_what_cannot_be_paused_is_refused_in_one_sentence(run: Any, installed: Engine) -> None:
    for arguments, code, words in (
        (("queues", "pause", "-r", "x"), 2, "Name a queue, or say --all."),
        (("queues", "pause", "default", "--all", "-r", "x"), 2, "Name a queue, or say --all."),
        (("queues", "pause", "nowhere", "-r", "x"), 1, "There is no queue 'nowhere'"),
        (("jobs", "pause", "nobody", "-r", "x"), 1, "There is no job named 'nobody'"),
        (("queues", "pause", "default", "-r", " "), 2, "Give a reason"),
    ):
        done = run(*arguments)
        assert (done.code, done.out) == (code, ""), arguments
        assert words in done.err
        assert "Traceback" not in done.err


def test_a_run_is_found_looked_at_cancelled_and_done_again(run: Any, installed: Engine) -> None:
    asked = json.loads(run("jobs", "run", "greet", "Ann", "--json").out)
    run_id = asked.get("run_id") or asked["runId"]
    assert run_id in run("runs", "list", "--state", "pending", "--job", "greet").out
    assert json.loads(run("runs", "show", run_id, "--json").out)["run"]["state"] == "pending"

    said = run("runs", "cancel", run_id, "--reason", "by mistake")
    assert said.out == f"{run_id} of greet is cancelled. It had not begun.\n"
    shown = run("runs", "show", run_id).out
    assert "cancelled" in shown
    assert ": by mistake" in shown
    assert run("runs", "cancel", run_id).code == 1

    again = run("runs", "retry", run_id).out
    assert again.startswith(f"{run_id} is done again as ")
    assert run_id in run("runs", "show", again.split()[-1].rstrip(".")).out
    assert "has been done again already" in run("runs", "retry", run_id).err


def test_runs_that_are_not_there_are_no_error(run: Any, installed: Engine) -> None:
    done = run("runs", "list", "--state", "failed")
    assert (done.code, done.err) == (0, "There are no such runs in the last 24 hours.\n")
    assert "There is no state 'done'" in run("runs", "list", "-s", "done").err


def test_runs_are_searched_for_in_words(run: Any, installed: Engine) -> None:
    run_id = json.loads(run("jobs", "run", "greet", "Ann Lee", "--json").out)["run_id"]
    for words in (
        ["job:greet"],
        ["job:~GREE", "trigger:manual"],
        ["args.0:Ann Lee"],
        ['args.0:"Ann Lee" since:1h'],
    ):
        assert run_id in run("runs", "list", *words).out, words
    assert run("runs", "list", "job:greet", "state:failed", "since:1h").err == "There are no such runs.\n"
    assert "Did you mean state?" in run("runs", "list", "stat:failed").err


def test_breakers_are_listed_and_closed(
    run: Any, installed: Engine, settings: Settings, redis_client: Any
) -> None:
    assert run("breakers", "list").err == "No breaker has ever counted a failure.\n"
    keys = Keys(settings.callboard_namespace)
    redis_client.sadd(keys.breakers, "mail")
    redis_client.hset(
        keys.breaker("mail"), mapping={"state": "open", "cause": "[red]down", "opened_at": 1000}
    )
    shown = run("breakers", "list").out
    assert "mail" in shown
    assert "[red]down" in shown
    assert run("breakers", "reset", "mail").out == "mail is closed; it was open.\n"
    assert run("breakers", "reset", "other").code == 1
