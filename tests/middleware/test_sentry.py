"""What Sentry is told of failures: by real runs, of a real worker, to a server that takes Sentry's place."""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
import sentry_sdk
from dramatiq import Worker
from dramatiq.errors import Retry

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.sentry import Sentry
from helpers.sentry_sink import SentrySink


@pytest.fixture(autouse=True)
def client() -> Iterator[None]:
    """Each test begins without a Sentry client, and leaves none behind."""
    scope = sentry_sdk.get_global_scope()
    before = scope.client
    scope.set_client(None)
    yield
    sentry_sdk.get_client().close(timeout=0)
    scope.set_client(before)


@pytest.fixture
def sink() -> Iterator[SentrySink]:
    with SentrySink() as sink:
        yield sink


def work_off(broker: Broker, sink: SentrySink | None, *messages: Any) -> None:
    """Run the messages, and whatever follows from them, in a worker that ends afterwards."""
    for middleware in broker.middleware:
        if isinstance(middleware, Sentry):
            middleware._dsn = sink.dsn if sink is not None else None
    for message in messages:
        broker.enqueue(message)
    worker = Worker(broker, worker_threads=1)
    worker.start()
    try:
        broker.join("default", timeout=20_000)
        worker.join()
    finally:
        worker.stop()


def test_a_final_failure_is_reported_once_with_what_is_known_of_the_run(
    broker: Broker, sink: SentrySink
) -> None:
    # Given a job of two attempts that always fails
    @dramatiq.actor(max_retries=1, backoff=fixed(1), category="promotions", description="Send them.")
    def send_promotions() -> None:
        raise ValueError("no such customer")

    message = send_promotions.message().copy(options={"trigger": "schedule", "due_at": 1, "max_retries": 1})

    # When it has used them up
    work_off(broker, sink, message)

    # Then one event has come, and it says which run of which job that was
    (event,) = sink.wait_for(1)
    assert event["tags"] == {
        "job": "send_promotions",
        "cron_job": "send_promotions",
        "category": "promotions",
        "queue": "default",
        "run_id": message.message_id,
        "attempt": "2",
        "trigger": "schedule",
    }
    facts = event["contexts"]["job"]
    assert facts["description"] == "Send them."
    assert (facts["attempt"], facts["max_attempts"]) == (2, 2)
    assert facts["duration_ms"] >= 0
    assert facts["due_at_ms"] == 1
    assert event["transaction"] == "send_promotions"
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ValueError", "no such customer")
    assert exception["stacktrace"]["frames"][-1]["function"] == "send_promotions"
    assert exception["mechanism"]["handled"] is False


@pytest.mark.parametrize(
    ("choice", "attempts"), [("final", ["3"]), ("every", ["1", "2", "3"]), ("never", [])]
)
def test_the_actor_says_which_failures_are_reported(
    broker: Broker, sink: SentrySink, choice: str, attempts: list[str]
) -> None:
    @dramatiq.actor(max_retries=2, backoff=fixed(1), sentry=choice)
    def fail() -> None:
        raise RuntimeError("again")

    work_off(broker, sink, fail.message())

    # The worker has flushed what was to be sent before it ended.
    events = sink.wait_for(len(attempts))
    assert [event["tags"]["attempt"] for event in events] == attempts


def test_an_attempt_that_asks_to_be_retried_is_no_failure(broker: Broker, sink: SentrySink) -> None:
    @dramatiq.actor(max_retries=1, sentry="every")
    def wait_for_it() -> None:
        raise Retry("not yet", delay=1)

    work_off(broker, sink, wait_for_it.message())

    (event,) = sink.wait_for(1)
    assert event["tags"]["attempt"] == "2"


def test_a_job_that_succeeds_after_a_failure_is_not_reported(broker: Broker, sink: SentrySink) -> None:
    attempts: list[int] = []

    @dramatiq.actor(max_retries=3, backoff=fixed(1))
    def flaky() -> None:
        attempts.append(1)
        logging.getLogger("shop").error("It looks bad.")
        if len(attempts) < 3:
            raise RuntimeError("not yet")

    work_off(broker, sink, flaky.message())

    assert len(attempts) == 3
    assert sink.requests == 0


def test_without_a_dsn_nothing_is_set_up(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTRY_DSN", raising=False)
    seen: list[bool] = []

    @dramatiq.actor(max_retries=0)
    def fail() -> None:
        seen.append(sentry_sdk.get_client().is_active())
        raise RuntimeError("nobody hears of this")

    work_off(broker, None, fail.message())

    assert seen == [False]
    assert not sentry_sdk.get_client().is_active()


def test_the_dsn_comes_from_the_settings(
    broker: Broker, sink: SentrySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRY_DSN", sink.dsn)

    @dramatiq.actor(max_retries=0)
    def fail() -> None:
        raise RuntimeError("heard")

    work_off(broker, None, fail.message())

    assert sink.wait_for(1)[0]["tags"]["job"] == "fail"


def test_a_client_that_the_application_has_set_up_is_kept(broker: Broker, sink: SentrySink) -> None:
    sentry_sdk.init(dsn=sink.dsn, release="shop@7", default_integrations=False)

    @dramatiq.actor(max_retries=0)
    def fail() -> None:
        raise RuntimeError("heard")

    work_off(broker, None, fail.message())

    assert sink.wait_for(1)[0]["release"] == "shop@7"


def test_breadcrumbs_and_tags_of_one_run_are_not_seen_with_the_next(broker: Broker, sink: SentrySink) -> None:
    @dramatiq.actor(max_retries=0)
    def fail(customer: str) -> None:
        sentry_sdk.set_tag("customer", customer) if customer == "first" else None
        logging.getLogger("shop").warning("About to fail for %s.", customer)
        raise RuntimeError(customer)

    work_off(broker, sink, fail.message("first"), fail.message("second"))

    first, second = sink.wait_for(2)
    assert first["tags"]["customer"] == "first"
    assert "customer" not in second["tags"]
    crumbs = [crumb["message"] for crumb in second["breadcrumbs"]["values"]]
    assert "About to fail for second." in crumbs
    assert "About to fail for first." not in crumbs


def test_runs_that_exceed_their_time_limit_are_one_problem_to_sentry(
    broker: Broker, sink: SentrySink
) -> None:
    @dramatiq.actor(max_retries=0, time_limit=50)
    def dawdle() -> None:
        while True:
            time.sleep(0.01)

    work_off(broker, sink, dawdle.message())

    (event,) = sink.wait_for(1)
    assert event["fingerprint"] == ["dawdle", "TimeLimitExceeded"]
    assert event["contexts"]["job"]["time_limit_ms"] == 50


def test_a_password_in_an_error_a_variable_or_a_log_line_does_not_leave_the_house(
    broker: Broker, sink: SentrySink
) -> None:
    @dramatiq.actor(max_retries=0)
    def connect() -> None:
        address = "redis://:hunter2@cache:6379"
        logging.getLogger("shop").warning("Connecting to %s.", address)
        raise RuntimeError(f"cannot reach {address}")

    work_off(broker, sink, connect.message())

    (event,) = sink.wait_for(1)
    assert event["exception"]["values"][0]["value"] == "cannot reach redis://:***@cache:6379"
    assert "Connecting to redis://:***@cache:6379." in json.dumps(event["breadcrumbs"])
    assert "hunter2" not in json.dumps(event)


def test_a_sentry_that_does_not_answer_holds_nothing_up(broker: Broker) -> None:
    # Given a Sentry that takes ten seconds to answer
    with SentrySink(delay=10) as sink:

        @dramatiq.actor(max_retries=0)
        def fail() -> None:
            raise RuntimeError("slow to tell")

        done: list[float] = []

        @dramatiq.actor(max_retries=0)
        def succeed() -> None:
            done.append(time.monotonic())

        # When a job fails and another one follows on the same thread
        begun = time.monotonic()
        work_off(broker, sink, fail.message(), succeed.message())
        ended = time.monotonic()

        # Then the other did not wait, and the worker's end waited no longer than it may
        assert done[0] - begun < 3
        assert ended - done[0] < 8


def test_a_choice_that_does_not_exist_is_refused_where_the_actor_is_declared(broker: Broker) -> None:
    with pytest.raises(ValueError, match="sentry='sometimes'"):

        @dramatiq.actor(sentry="sometimes")
        def fail() -> None: ...


def test_a_failure_in_a_process_of_its_own_is_reported_with_the_frames_of_the_job(
    broker: Broker, sink: SentrySink
) -> None:
    @dramatiq.actor(max_retries=0, isolation="process")
    def count_stock() -> None:
        try:
            raise ConnectionError("no warehouse")
        except ConnectionError as error:
            raise LookupError("no stock") from error

    work_off(broker, sink, count_stock.message())
    (event,) = sink.wait_for(1)
    cause, failure = event["exception"]["values"]
    assert (cause["type"], cause["value"]) == ("ConnectionError", "no warehouse")
    assert (failure["type"], failure["value"]) == ("LookupError", "no stock")
    innermost = failure["stacktrace"]["frames"][-1]
    assert innermost["function"] == "count_stock"
    assert innermost["filename"].endswith("test_sentry.py")
    assert innermost["context_line"].strip() == 'raise LookupError("no stock") from error'
    assert innermost.get("vars", {}) == {}
