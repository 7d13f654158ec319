"""Many dead letters are worked off by a job that may be killed, aborted, and begun again."""

import signal
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from callboard.control.actions.bulk import abort
from callboard.control.actions.letters import start
from callboard.control.auth import local_principal
from callboard.control.context import Context
from callboard.control.reads.bulk import bulk_action
from callboard.control.reads.letters import Wanted
from callboard.core.settings import Settings
from callboard.scheduler.relay import Relay
from helpers.declarations import declare, job
from helpers.letters import add_letters, left, left_in_redis
from helpers.queues import queued
from helpers.waiting import wait_for

WORK = """
import sys
import callboard.middleware.default as default
default.ensure_broker()
from callboard.actors.dead_letters import dead_letters
dead_letters(sys.argv[1], batch_size=100)
"""


@pytest.fixture
def system(surroundings: Any, settings: Settings, engine: Engine) -> Any:
    """A context on a database in which the jobs are known."""
    declare(engine, job("greet"), job("dead-letters"))
    with Context(settings) as context:
        yield context


def requeued(engine: Engine) -> dict[UUID, int]:
    """How many runs in the outbox name each run as the one that they repeat."""
    query = text("""
        SELECT (message -> 'options' ->> 'retry_of')::uuid AS old, count(*)
          FROM callboard.outbox WHERE job_name = 'greet' GROUP BY 1
    """)
    with engine.connect() as connection:
        return {row.old: row.count for row in connection.execute(query)}


def test_ten_thousand_are_requeued_once_each_though_the_worker_is_killed_in_the_middle(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    # Given 10,000 dead letters, an action on them, and a process that works on it
    runs = add_letters(engine, system.redis, system.keys, 10_000)
    action = start(system, local_principal(), "requeue", Wanted(job="greet")).action
    command = [sys.executable, "-c", WORK, str(action.id)]
    worker = subprocess.Popen(command)

    # When it is killed after some of them, and asked for again, and another process begins
    wait_for(lambda: bulk_action(system, "dead letters", action.id).done >= 1_000, 30, "the first thousand")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    killed_at = bulk_action(system, "dead letters", action.id)
    assert (killed_at.state, killed_at.failed) == ("running", 0)
    assert 1_000 <= killed_at.done < 10_000
    assert not start(system, local_principal(), "requeue", Wanted(job="greet")).new
    subprocess.run(command, check=True)

    # Expect each to have become one run, and none to be left
    done = bulk_action(system, "dead letters", action.id)
    assert (done.state, done.done, done.failed, done.total) == ("done", 10_000, 0, 10_000)
    assert requeued(engine) == dict.fromkeys(runs, 1)
    assert left(engine) == 0
    assert left_in_redis(system.redis, system.keys) == (0, 0)

    # And all of them to reach Redis, once
    relay = Relay(engine, surroundings)
    while relay.send():
        pass
    messages = [message for message in queued(surroundings) if message.actor_name == "greet"]
    assert len({message.message_id for message in messages}) == len(messages) == 10_000


def test_what_fails_again_meanwhile_is_not_requeued_in_a_circle(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    add_letters(engine, system.redis, system.keys, 3)
    action = start(system, local_principal(), "requeue", Wanted()).action
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE callboard.runs SET enqueued_at = now() + interval '1 s' WHERE args = '[]'"
                 " AND run_id = (SELECT max(run_id::text)::uuid FROM callboard.runs WHERE job = 'greet')")
        )  # fmt: skip

    result = surroundings.get_actor("dead-letters")(str(action.id), batch_size=1)

    assert result == {"processed": 2, "failed": 0}
    assert left(engine) == 1


def test_an_aborted_action_keeps_what_is_done_and_leaves_the_rest(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    add_letters(engine, system.redis, system.keys, 5)
    action = start(system, local_principal(), "drop", Wanted()).action
    with engine.begin() as connection:
        connection.execute(text("UPDATE callboard.bulk_actions SET state = 'running'"))
    abort(system, local_principal(), "dead letters", action.id)

    surroundings.get_actor("dead-letters")(str(action.id))

    assert bulk_action(system, "dead letters", action.id).state == "aborted"
    assert left(engine) == 5


def test_those_that_cannot_be_requeued_are_counted_and_passed_by(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    add_letters(engine, system.redis, system.keys, 4, job="unknown")
    add_letters(engine, system.redis, system.keys, 3)
    action = start(system, local_principal(), "requeue", Wanted()).action

    result = surroundings.get_actor("dead-letters")(str(action.id), batch_size=2)

    assert result == {"processed": 3, "failed": 4}
    done = bulk_action(system, "dead letters", action.id)
    assert (done.state, done.last_error) == ("done", "no running code declares the job unknown")
    assert left(engine) == 4


def test_letters_that_a_kill_left_in_redis_are_removed_by_the_next_step(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    # Given a batch that was committed by a process that died before it told Redis
    add_letters(engine, system.redis, system.keys, 4)
    action = start(system, local_principal(), "drop", Wanted()).action
    from callboard.storage.letters import work_off

    with engine.begin() as connection:
        work_off(connection, system.redis, system.keys, action.id, 2)
    assert left_in_redis(system.redis, system.keys) == (4, 4)

    surroundings.get_actor("dead-letters")(str(action.id), batch_size=2)

    assert left_in_redis(system.redis, system.keys) == (0, 0)


def test_old_letters_go_and_their_runs_stay(system: Context, engine: Engine, surroundings: Any) -> None:
    add_letters(engine, system.redis, system.keys, 5, age=31)
    add_letters(engine, system.redis, system.keys, 2, age=29)

    result = surroundings.get_actor("cleanup-old-dead-letters")(batch_size=2)

    assert result == {"processed": 5, "failed": 0}
    assert left(engine) == 2
    assert left_in_redis(system.redis, system.keys) == (2, 2)
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM callboard.runs WHERE state = 'failed'")
        assert connection.execute(query).scalar_one() == 7
