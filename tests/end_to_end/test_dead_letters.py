"""From a job that fails, over its dead letter, to the run that succeeds where it did not."""

from typing import Any

from sqlalchemy import Engine, text

from callboard.control.actions.letters import deal
from callboard.control.auth import local_principal
from callboard.control.context import Context
from callboard.control.reads.letters import groups, letters
from callboard.core.settings import Settings
from helpers.declarations import declare as register
from helpers.declarations import job
from helpers.recorders import recording, wait_until_read
from helpers.waiting import wait_for
from helpers.workers import Calls, dead_letters, declare, working


def test_a_job_that_failed_is_requeued_and_succeeds(broker: Any, settings: Settings, engine: Engine) -> None:
    # Given two runs of a job that fail for the same reason, and one that fails for another
    calls = Calls()

    def greet(name: str) -> str:
        if calls.note(name) <= 3:
            raise KeyError(name) if name == "eve" else ValueError(f"no {name} at {id(object()):#x}")
        return f"hello {name}"

    actor = declare(broker, greet, max_retries=0)
    with Context(settings) as context, recording(settings), working(broker):
        register(engine, job("greet", max_attempts=1))
        for name in ("ada", "bob", "eve"):
            actor.send(name)
        calls.wait_for(3)
        wait_for(lambda: len(letters(context)[0]) == 3, what="the dead letters")

        # Expect two groups
        assert [group.letters for group in groups(context)] == [2, 1]
        assert len(dead_letters(broker)) == 3

        # When the first ones are requeued
        ids = [letter.run_id for letter in letters(context)[0] if letter.error_type == "ValueError"]
        dealt = deal(context, local_principal(), "requeue", ids)

        # Expect runs of their own that succeed, while the old ones stay what they were
        calls.wait_for(5)
        wait_until_read(settings)
        query = text("SELECT state FROM callboard.runs WHERE run_id = ANY(:ids)")

        def states(run_ids: list[Any]) -> list[str]:
            with engine.connect() as connection:
                return list(connection.execute(query, {"ids": run_ids}).scalars())

        wait_for(lambda: states(dealt.runs) == ["succeeded"] * 2, what="the new runs")
        assert states(ids) == ["failed"] * 2
        assert len(dead_letters(broker)) == 1
