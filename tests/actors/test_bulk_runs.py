"""Many runs are retried and cancelled by a job that may be broken off, aborted, and begun again."""

from typing import Any

import dramatiq
import pytest
from sqlalchemy import Engine, text

from callboard.control.actions.bulk import abort
from callboard.control.actions.bulk_runs import start
from callboard.control.auth import local_principal
from callboard.control.context import Context
from callboard.control.reads.bulk import bulk_action
from callboard.control.reads.run_search import Wanted
from callboard.core.errors import NotFound
from callboard.core.settings import Settings
from callboard.scheduler.relay import Relay
from helpers.declarations import declare, job
from helpers.letters import add_letters, left, left_in_redis
from helpers.many_runs import add_runs, repeated, states
from helpers.queues import queued


@pytest.fixture
def system(surroundings: Any, settings: Settings, engine: Engine) -> Any:
    """A context on a database in which the jobs are known."""
    declare(engine, job("greet"), job("off", enabled=False), job("bulk-runs"))
    with Context(settings) as context:
        yield context


def test_ten_thousand_are_done_again_once_each_though_the_job_is_broken_off(
    system: Context, engine: Engine, surroundings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given 10,000 failed runs, some with their message in Redis, and one that fails after it was asked for
    runs = add_runs(engine, 9_000)
    runs += add_letters(engine, system.redis, system.keys, 1_000)
    action = start(system, local_principal(), "retry", Wanted("state:failed job:greet")).action
    add_runs(engine, 1, age=-300)

    # When the job fails after two batches, and is begun again
    from callboard.actors import bulk

    batches = iter(range(2))

    def breaks_off(*_told: Any) -> None:
        if next(batches, None) is None:
            raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "progress", breaks_off)
        with pytest.raises(ConnectionError):
            surroundings.get_actor("bulk-runs")(str(action.id), batch_size=1_000)
    assert bulk_action(system, "runs", action.id).done == 3_000
    result = surroundings.get_actor("bulk-runs")(str(action.id), batch_size=2_000)

    # Expect each to have become one run, and the one that came later none
    assert result == {"processed": 10_000, "failed": 0}
    done = bulk_action(system, "runs", action.id)
    assert (done.state, done.done, done.failed, done.total) == ("done", 10_000, 0, 10_000)
    assert repeated(engine) == dict.fromkeys(runs, 1)
    assert (left(engine), left_in_redis(system.redis, system.keys)) == (0, (0, 0))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM callboard.runs WHERE enqueued_at > now()"))
    with pytest.raises(NotFound):
        start(system, local_principal(), "retry", Wanted("state:failed job:greet"))


def test_many_are_cancelled_but_for_the_run_that_does_it(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    add_runs(engine, 7, "pending")
    add_runs(engine, 3, "processing")
    add_runs(engine, 2, "succeeded")
    action = start(system, local_principal(), "cancel", Wanted(""), reason="enough").action
    with engine.begin() as connection:
        own = {"id": action.run_id}
        connection.execute(text("UPDATE callboard.runs SET state = 'processing', enqueued_at = now()"
                                " - interval '1 min' WHERE run_id = :id"), own)  # fmt: skip

    result = surroundings.get_actor("bulk-runs")(str(action.id), batch_size=4)

    assert result == {"processed": 10, "failed": 0}
    assert states(engine) == {"cancelled": 10, "succeeded": 2}
    assert states(engine, "bulk-runs") == {"processing": 1}
    with engine.connect() as connection:
        signals = connection.execute(text("SELECT count(*) FROM callboard.signals")).scalar_one()
        counted = connection.execute(
            text("SELECT sum(cancelled) FROM callboard.rollups WHERE width_s = 60")
        ).scalar_one()
    assert (signals, counted) == (10, 10)


def test_what_waits_for_its_next_attempt_goes_at_once_wherever_it_is(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    # Given two runs whose next attempt waits in Redis, one that is not sent yet, and one that waits no longer
    first, second, unsent, gone = add_runs(engine, 4, "pending", waiting=True)
    for run_id in (first, second):
        message: dramatiq.Message[Any] = dramatiq.Message(
            "default", "greet", (), {}, {}, message_id=str(run_id)
        )
        surroundings.enqueue(message, delay=3_600_000)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO callboard.outbox (run_id, job_name, queue, message, not_before)"
                 " VALUES (:id, 'greet', 'default', '{}', now() + interval '1 hour')"), {"id": unsent}
        )  # fmt: skip
    action = start(system, local_principal(), "retry", Wanted("job:greet")).action

    result = surroundings.get_actor("bulk-runs")(str(action.id))

    assert result == {"processed": 3, "failed": 1}
    assert bulk_action(system, "runs", action.id).last_error == (
        "it waits in its queue; it goes as soon as a worker is free"
    )
    sent = {message.message_id for message in queued(surroundings) if message.actor_name == "greet"}
    assert sent == {str(first), str(second)}
    with engine.connect() as connection:
        due = text("SELECT not_before IS NULL FROM callboard.outbox WHERE run_id = :id")
        assert connection.execute(due, {"id": unsent}).scalar_one()
    assert gone not in {first, second, unsent}


def test_an_aborted_action_keeps_what_is_done_and_what_it_cannot_do_is_counted(
    system: Context, engine: Engine, surroundings: Any
) -> None:
    add_runs(engine, 3, job="off", age=120)
    add_runs(engine, 5)
    action = start(system, local_principal(), "retry", Wanted("state:failed")).action
    from callboard.storage.run_bulk import work_off

    with engine.begin() as connection:
        work_off(connection, system.redis, system.keys, action.id, 4, hurry=lambda _runs: set())
    abort(system, local_principal(), "runs", action.id)

    surroundings.get_actor("bulk-runs")(str(action.id))

    ended = bulk_action(system, "runs", action.id)
    assert (ended.state, ended.done, ended.failed, ended.last_error) == (
        "aborted",
        1,
        3,
        "the job off is switched off",
    )
    relay = Relay(engine, surroundings)
    while relay.send():
        pass
    assert len([each for each in queued(surroundings) if each.actor_name == "greet"]) == 1
