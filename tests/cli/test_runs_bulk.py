"""`callboard runs retry --where`, `cancel --where`, `status` and `abort`."""

import threading
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from callboard.control.context import Context
from callboard.core.settings import Settings
from callboard.storage.run_bulk import work_off
from helpers.declarations import declare, job
from helpers.many_runs import add_runs, states


def test_many_are_asked_for_looked_at_and_aborted(run: Any, installed: Engine, monkeypatch: Any) -> None:
    declare(installed, job("greet"), job("bulk-runs"))
    add_runs(installed, 3)
    monkeypatch.setattr("typer.confirm", lambda question, **_options: print(question))

    asked = run("runs", "retry", "--where", "state:failed since:2h")
    assert asked.out.startswith("Retry 3 runs?\nIt is under way for 3: callboard runs status ")
    action = asked.out.split()[-1]
    assert "was already asked for" in run("runs", "retry", "--where", "state:failed since:2h", "--yes").out
    assert "queued" in run("runs", "status", action).out
    assert run("runs", "abort", action).out == "It ends after 0 of 3.\n"
    assert "aborted" in run("runs", "status").out


def test_a_wait_ends_with_the_action(run: Any, installed: Engine, settings: Settings) -> None:
    declare(installed, job("greet"), job("bulk-runs"))
    add_runs(installed, 3, "pending")
    words = ("runs", "cancel", "--where", "job:greet", "-y")
    action = UUID(run(*words).out.split()[-1])
    with Context(settings) as context:

        def work() -> None:
            ended = False
            while not ended:
                with installed.begin() as connection:
                    ended = work_off(
                        connection, context.redis, context.keys, action, 2, hurry=lambda _runs: set()
                    ).ended

        worker = threading.Timer(0.3, work)
        worker.start()
        done = run(*words, "--wait")
        worker.join()

    assert (done.code, done.out) == (0, "3 of 3 cancelled, 0 stay.\n")
    assert states(installed) == {"cancelled": 3}


def test_what_cannot_be_done_is_told_in_one_sentence(run: Any, installed: Engine) -> None:
    for arguments, code, words in (
        (("retry",), 2, "Name runs by their ids, or say which by --where"),
        (("retry", "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d", "--where", ""), 2, "Name runs by their ids"),
        (("retry", "--where", "nonsense", "-y"), 2, "is no filter"),
        (("cancel", "--where", "", "-y"), 1, "No worker has the job bulk-runs"),
    ):
        done = run("runs", *arguments)
        assert (done.code, done.out) == (code, ""), arguments
        assert words in done.err
