"""`callboard fire`."""

from typing import Any

from sqlalchemy import Engine


def test_firing_says_which_runs_there_are(run: Any, installed: Engine) -> None:
    done = run("fire", "*/5 * * * *")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("health-check runs, as ")


def test_waiting_for_a_run_that_does_not_end_in_time_fails(run: Any, installed: Engine) -> None:
    done = run("fire", "*/5 * * * *", "--wait", "--timeout", "0.3")

    assert done.code == 1
    assert "health-check has not ended" in done.out


def test_an_unknown_expression_is_one_sentence(run: Any, installed: Engine) -> None:
    done = run("fire", "1 2 3 4 5")

    assert done.code == 1
    assert done.err == 'No schedule has the expression "1 2 3 4 5"; there are "*/5 * * * *".\n'
