"""`callboard dead`."""

import json
import threading
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from callboard.control.context import Context
from callboard.core.settings import Settings
from callboard.storage.letters import work_off
from helpers.declarations import declare, job
from helpers.letters import add_letters, left


@pytest.fixture
def letters(installed: Engine, settings: Settings) -> list[str]:
    """Three dead letters of one error and one of another; the ids of their runs."""
    declare(installed, job("greet"), job("wave"), job("dead-letters"))
    with Context(settings) as context:
        one = add_letters(installed, context.redis, context.keys, 3, error="no [red]luck", mark="aaaa")
        other = add_letters(installed, context.redis, context.keys, 1, job="wave", mark="bbbb")
    return [str(each) for each in (*one, *other)]


def test_letters_are_listed_and_grouped(run: Any, letters: list[str]) -> None:
    shown = run("dead", "list", "--text", "LUCK", "--job", "greet", "--hours", "1")
    assert [line.count("no [red]luck") for line in shown.out.splitlines() if "greet" in line] == [1] * 3
    page = run("dead", "list", "--limit", "3")
    cursor = page.err.split("--cursor ")[1].strip()
    rest = json.loads(run("dead", "list", "--cursor", cursor, "--json").out)
    assert (len(rest["letters"]), rest["next_cursor"]) == (1, None)

    groups = json.loads(run("dead", "groups", "--json").out)
    assert [(each["fingerprint"], each["letters"]) for each in groups] == [("aaaa", 3), ("bbbb", 1)]
    assert "ValueError: no [red]luck" in run("dead", "groups").out


def test_named_letters_are_requeued_and_dropped(run: Any, installed: Engine, letters: list[str]) -> None:
    assert run("dead", "requeue", letters[0], letters[1]).out == "2 requeued.\n"
    assert run("dead", "drop", letters[2]).out == "1 dropped.\n"
    assert left(installed) == 1
    again = run("dead", "requeue", letters[0])
    assert again.code == 1
    assert "may have been requeued" in again.err


def test_many_are_asked_for_looked_at_and_aborted(run: Any, installed: Engine, letters: list[str]) -> None:
    asked = run("dead", "drop", "--fingerprint", "aaaa")
    assert asked.out.startswith("It is under way for 3: callboard dead status ")
    action = asked.out.split()[-1]
    assert "was already asked for" in run("dead", "drop", "--fingerprint", "aaaa").out
    assert "queued" in run("dead", "status", action).out

    assert run("dead", "abort", action).out == "It ends after 0 of 3.\n"
    assert "aborted" in run("dead", "status").out
    assert left(installed) == 4


def test_a_wait_ends_with_the_action(
    run: Any, installed: Engine, settings: Settings, letters: list[str]
) -> None:
    action = UUID(run("dead", "drop", "--all").out.split()[-1])
    with Context(settings) as context:

        def work() -> None:
            ended = False
            while not ended:
                with installed.begin() as connection:
                    ended = work_off(connection, context.redis, context.keys, action, 2).ended

        worker = threading.Timer(0.3, work)
        worker.start()
        done = run("dead", "drop", "--all", "--wait")
        worker.join()

    assert (done.code, done.out) == (0, "4 of 4 dropped, 0 stay.\n")
    assert left(installed) == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "--job", "greet")])
def test_what_is_meant_must_be_said(run: Any, letters: list[str], arguments: tuple[str, ...]) -> None:
    done = run("dead", "drop", *arguments)

    assert done.code == 2
    assert "or say --all" in done.err
