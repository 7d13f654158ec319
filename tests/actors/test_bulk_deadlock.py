"""A step of a job on many runs that PostgreSQL breaks off in a circle of locks is taken once more."""

import threading
from typing import Any

from sqlalchemy import Engine, text

from callboard.control.actions.bulk_runs import start
from callboard.control.auth import local_principal
from callboard.control.context import Context
from callboard.control.reads.bulk import bulk_action
from callboard.control.reads.run_search import Wanted
from callboard.core.settings import Settings
from helpers.declarations import declare, job
from helpers.many_runs import add_runs, repeated
from helpers.rows import value
from helpers.waiting import wait_for

WAITS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'callboard job' AND wait_event_type = 'Lock'
"""


def test_a_step_that_ends_in_a_deadlock_is_taken_anew_and_each_run_is_done_again_once(
    surroundings: Any, settings: Settings, engine: Engine
) -> None:
    # Given a server that looks for circles late enough for a slow machine to make one
    with engine.begin() as connection:
        name = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET deadlock_timeout = '4s'"))
    # Given failed runs, one of the second batch of which somebody else has locked
    declare(engine, job("greet"), job("bulk-runs"))
    runs = add_runs(engine, 30)
    told: list[Any] = []
    with Context(settings) as context:
        action = start(context, local_principal(), "retry", Wanted("state:failed job:greet")).action
        work = threading.Thread(
            target=lambda: told.append(surroundings.get_actor("bulk-runs")(str(action.id), batch_size=10))
        )
        with engine.begin() as other:
            other.execute(
                text("SELECT 1 FROM callboard.runs WHERE run_id = :id FOR UPDATE"), {"id": runs[15]}
            )

            # When the job waits for it, and they wait for what the job has locked, longer than the job does
            other.execute(text("SET LOCAL deadlock_timeout = '60s'"))
            work.start()
            wait_for(lambda: value(engine, WAITS), what="the job's wait for a lock")
            other.execute(
                text("SELECT 1 FROM callboard.bulk_actions WHERE id = :id FOR UPDATE"), {"id": action.id}
            )
        work.join(60)

        # Expect the job to have been broken off, and nothing to be lost or done twice
        value(engine, "SELECT pg_stat_force_next_flush()::text")
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert value(engine, deadlocks) == 1
        assert told == [{"processed": 30, "failed": 0}]
        assert repeated(engine) == dict.fromkeys(runs, 1)
        done = bulk_action(context, "runs", action.id)
        assert (done.state, done.done, done.failed, done.total) == ("done", 30, 0, 30)
