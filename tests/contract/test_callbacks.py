"""Actors that are told what became of a message."""

from typing import Any

import dramatiq
import pytest

from helpers.workers import Calls, declare, wait_until_empty, working


def test_a_success_is_told_with_the_message_and_its_result(broker: Any) -> None:
    told = Calls()
    tell = declare(broker, lambda message, result: told.note((message, result)), actor_name="tell")
    double = declare(broker, lambda number, *, by=2: number * by, actor_name="double")
    sent = double.send_with_options(args=(21,), kwargs={"by": 2}, on_success=tell, tenant="acme")
    with working(broker):
        ((message, result),) = told.wait_for(1)
    assert result == 42
    assert message["message_id"] == sent.message_id
    assert message["message_timestamp"] == sent.message_timestamp
    assert (message["actor_name"], message["queue_name"]) == ("double", "default")
    assert (message["args"], message["kwargs"]) == ([21], {"by": 2})
    assert message["options"]["tenant"] == "acme"


def test_each_failed_attempt_is_told_with_the_exceptions_type_and_text(broker: Any) -> None:
    told, succeeded = Calls(), Calls()
    declare(broker, lambda message, error: told.note((message, error)), actor_name="tell_failure")
    declare(broker, lambda message, result: succeeded.note(result), actor_name="tell_success")

    @dramatiq.actor(
        on_failure="tell_failure", on_success="tell_success", max_retries=3, min_backoff=100, max_backoff=100
    )
    def work() -> str:
        if len(told.made) < 2:
            raise ValueError(f"attempt {len(told.made) + 1}")
        return "done"

    sent = work.send()
    with working(broker, threads=1):
        assert succeeded.wait_for(1) == ["done"]
        wait_until_empty(broker)
    assert [error for _, error in told.made] == [
        {"type": "ValueError", "message": "attempt 1"},
        {"type": "ValueError", "message": "attempt 2"},
    ]
    assert {message["message_id"] for message, _ in told.made} == {sent.message_id}


def test_a_failure_is_told_with_how_often_it_has_failed_and_where(broker: Any) -> None:
    told = Calls()
    declare(broker, lambda message, error: told.note(message["options"]), actor_name="tell")

    @dramatiq.actor(on_failure="tell", max_retries=1, min_backoff=100, max_backoff=100)
    def work() -> None:
        raise ValueError("here")

    work.send()
    with working(broker, threads=1):
        told.wait_for(2)
    assert [options["retries"] for options in told.made] == [1, 2]
    assert all("ValueError: here" in options["traceback"] for options in told.made)


def test_callbacks_named_by_a_message_go_before_those_of_its_actor(broker: Any) -> None:
    told = Calls()
    declare(broker, lambda message, result: told.note("actor's"), actor_name="usual")
    special = declare(broker, lambda message, result: told.note("message's"), actor_name="special")
    work = declare(broker, lambda: None, actor_name="work", on_success="usual")
    work.send()
    with working(broker, threads=1):
        told.wait_for(1)
        work.send_with_options(on_success=special)
        told.wait_for(2)
        work.send_with_options(on_success="special")
        told.wait_for(3)
        wait_until_empty(broker)
    assert told.made == ["actor's", "message's", "message's"]


def test_a_callback_is_an_ordinary_message_of_its_own_actors_queue(broker: Any) -> None:
    told = Calls()
    tell = declare(
        broker, lambda message, result: told.note(result), actor_name="tell", queue_name="callbacks"
    )
    declare(broker, lambda: "x", actor_name="work").send_with_options(on_success=tell)
    with working(broker, queues={"default"}):
        wait_until_empty(broker)
    assert told.made == []
    with working(broker, queues={"callbacks"}):
        assert told.wait_for(1) == ["x"]


@pytest.mark.parametrize("option", ["on_success", "on_failure"])
def test_what_is_no_actor_is_refused_as_a_callback(broker: Any, option: str) -> None:
    work = declare(broker, lambda: None, actor_name="work")
    with pytest.raises(TypeError, match=f"{option} value must be an Actor"):
        work.send_with_options(**{option: lambda message, result: None})


def test_a_callback_that_nobody_declared_fails_no_run(broker: Any) -> None:
    ran = Calls()
    work = declare(broker, lambda: ran.note(), actor_name="work", max_retries=5, on_success="nobody")
    work.send()
    with working(broker):
        ran.wait_for(1)
        wait_until_empty(broker)
    assert len(ran.made) == 1


def test_the_end_of_all_attempts_is_told_once_with_how_many_there_were(broker: Any) -> None:
    told, attempts = Calls(), Calls()
    declare(broker, lambda message, facts: told.note((message, facts)), actor_name="tell")

    @dramatiq.actor(max_retries=2, min_backoff=100, max_backoff=100, on_retry_exhausted="tell")
    def work() -> None:
        attempts.note()
        raise RuntimeError

    sent = work.send()
    with working(broker):
        ((message, facts),) = told.wait_for(1)
        wait_until_empty(broker)
    assert len(attempts.made) == 3
    assert message["message_id"] == sent.message_id
    assert facts == {"retries": 2, "max_retries": 2}
    assert len(told.made) == 1


def test_nobody_is_told_of_exhausted_retries_where_one_succeeds_or_none_is_wanted(broker: Any) -> None:
    told, attempts = Calls(), Calls()
    declare(broker, lambda *args: told.note(args), actor_name="tell")

    @dramatiq.actor(max_retries=1, min_backoff=100, max_backoff=100, on_retry_exhausted="tell")
    def recovers() -> None:
        if attempts.note() == 1:
            raise RuntimeError

    @dramatiq.actor(throws=KeyError, on_retry_exhausted="tell")
    def throws() -> None:
        raise KeyError

    recovers.send()
    throws.send()
    with working(broker):
        attempts.wait_for(2)
        wait_until_empty(broker)
    assert told.made == []


def test_a_message_may_name_who_is_told_of_its_exhausted_retries(broker: Any) -> None:
    told = Calls()
    declare(broker, lambda message, facts: told.note(facts), actor_name="tell")

    @dramatiq.actor
    def work() -> None:
        raise RuntimeError

    work.send_with_options(max_retries=0, on_retry_exhausted="tell")
    with working(broker):
        assert told.wait_for(1) == [{"retries": 0, "max_retries": 0}]
