"""The hooks of middleware: when they are called, what they may change, and what their errors do."""

from typing import Any

import dramatiq
import pytest
from dramatiq import middleware as stock
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from callboard.middleware.broker import Broker
from helpers.workers import Calls, dead_letters, declare, linger, wait_until_empty, working

#: The hooks around a message.
AROUND = (
    "before_enqueue", "after_enqueue", "before_delay_message", "before_process_message",
    "after_process_message", "after_skip_message", "before_ack", "after_ack", "before_nack", "after_nack",
)  # fmt: skip


def diary(calls: Calls, name: str = "", hooks: tuple[str, ...] = AROUND) -> Middleware:
    """A middleware of a class of its own that writes down which of its hooks are called."""

    def writer(entry: str) -> Any:
        return lambda self, *args, **kwargs: calls.note(entry)

    return type("Diary", (Middleware,), {hook: writer(f"{name}{hook}") for hook in hooks})()


def test_a_message_goes_through_the_documented_hooks(broker: Any) -> None:
    calls = Calls()
    broker.add_middleware(diary(calls))
    work = declare(broker, lambda: calls.note("work"), actor_name="work")
    work.send()
    with working(broker):
        wait_until_empty(broker)
        calls.wait_for(7)
    assert calls.made == [
        "before_enqueue", "after_enqueue", "before_process_message", "work", "after_process_message",
        "before_ack", "after_ack",
    ]  # fmt: skip


def test_a_delayed_message_goes_through_the_documented_hooks(broker: Any) -> None:
    calls = Calls()
    broker.add_middleware(diary(calls))
    declare(broker, lambda: calls.note("work"), actor_name="work").send_with_options(delay=50)
    with working(broker):
        wait_until_empty(broker)
        calls.wait_for(12)
    # Once it is on its own queue, another thread may begin with it while this one has not yet gone on.
    assert calls.made[:4] == ["before_enqueue", "after_enqueue", "before_delay_message", "before_enqueue"]
    done = ["before_process_message", "work", "after_process_message"]
    assert [each for each in calls.made[4:] if each in done] == done
    assert sorted(calls.made[4:]) == sorted(["after_enqueue", *done, *["before_ack", "after_ack"] * 2])


def test_a_failure_is_rejected_between_the_documented_hooks(broker: Any) -> None:
    calls = Calls()
    broker.add_middleware(diary(calls))

    @dramatiq.actor(max_retries=0)
    def work() -> None:
        raise RuntimeError

    work.send()
    with working(broker):
        calls.wait_for(6)
    assert calls.made[2:] == ["before_process_message", "after_process_message", "before_nack", "after_nack"]


def test_before_hooks_run_in_the_order_of_the_middleware_and_after_hooks_in_reverse(broker: Any) -> None:
    calls = Calls()
    hooks = ("before_process_message", "after_process_message", "before_enqueue", "after_enqueue")
    for name in ("first ", "second "):
        broker.add_middleware(diary(calls, name, hooks))
    declare(broker, lambda: None, actor_name="work").send()
    with working(broker):
        calls.wait_for(8)
    assert calls.made == [
        "first before_enqueue", "second before_enqueue", "second after_enqueue", "first after_enqueue",
        "first before_process_message", "second before_process_message",
        "second after_process_message", "first after_process_message",
    ]  # fmt: skip


def test_a_hook_may_also_be_given_to_one_middleware_object(broker: Any) -> None:
    calls, own = Calls(), Middleware()
    for hook in ("before_process_message", "after_ack"):
        setattr(own, hook, lambda *args, hook=hook: calls.note(hook))
    broker.add_middleware(own)
    declare(broker, lambda: None, actor_name="work").send()
    with working(broker):
        assert calls.wait_for(2) == ["before_process_message", "after_ack"]


def test_what_a_hook_adds_to_a_messages_options_before_it_is_enqueued_goes_with_it(broker: Any) -> None:
    seen = Calls()

    class Trace(Middleware):
        def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            message.options.setdefault("trace", f"trace of {message.args[0]}")

        def before_process_message(self, broker: Any, message: Any) -> None:
            seen.note((message.options.get("trace"), message.options.get("retries", 0)))

    broker.add_middleware(Trace())

    def work(what: str) -> None:
        if len(seen.made) == 2:
            raise RuntimeError

    work_ = declare(broker, work, max_retries=1, min_backoff=100, max_backoff=100)
    work_.send("plain")
    with working(broker, threads=1):
        seen.wait_for(1)
        work_.send_with_options(args=("delayed",), delay=20)
        seen.wait_for(3)
    assert seen.made == [("trace of plain", 0), ("trace of delayed", 0), ("trace of delayed", 1)]


def test_a_hook_is_told_the_delay_of_a_message(broker: Any) -> None:
    told = Calls()

    class Look(Middleware):
        def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
            told.note((message.queue_name, delay))

    broker.add_middleware(Look())
    work = declare(broker, lambda: None, actor_name="work")
    work.send()
    work.send_with_options(delay=50)
    assert told.made == [("default", None), ("default.DQ", 50)]


def test_hooks_after_an_actor_are_told_its_result_or_its_exception(broker: Any) -> None:
    told = Calls()

    class Look(Middleware):
        def after_process_message(
            self, broker: Any, message: Any, *, result: Any = None, exception: Any = None
        ) -> None:
            told.note((message.args[0], result, type(exception)))

    broker.add_middleware(Look())

    @dramatiq.actor(max_retries=0)
    def halve(number: int) -> float:
        return 10 / number

    halve.send(4)
    halve.send(0)
    with working(broker, threads=1):
        assert told.wait_for(2) == [(4, 2.5, type(None)), (0, None, ZeroDivisionError)]


@pytest.mark.parametrize("refused", [False, True], ids=["acknowledged", "rejected"])
def test_a_hook_may_skip_a_message_and_choose_what_becomes_of_it(broker: Any, refused: bool) -> None:
    calls = Calls()

    class Doorkeeper(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            if message.args == ("unwelcome",):
                if refused:
                    message.fail()
                raise SkipMessage("not you")

    broker.add_middleware(Doorkeeper())
    hooks = ("after_process_message", "after_skip_message", "after_ack", "after_nack")
    broker.add_middleware(diary(calls, hooks=hooks))
    work = declare(broker, calls.note, actor_name="work", max_retries=3)
    work.send("unwelcome")
    with working(broker, threads=1):
        calls.wait_for(2)
        work.send("welcome")
        calls.wait_for(5)
        wait_until_empty(broker)
    assert calls.made == [
        "after_skip_message", "after_nack" if refused else "after_ack", "welcome", "after_process_message",
        "after_ack",
    ]  # fmt: skip
    assert len(dead_letters(broker)) == refused


def test_an_ordinary_error_in_a_hook_stops_neither_the_others_nor_the_message(broker: Any) -> None:
    calls = Calls()

    class Broken(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            raise RuntimeError

        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            raise RuntimeError

    hooks = ("before_process_message", "after_process_message", "after_ack")
    broker.add_middleware(diary(calls, "outer ", hooks))
    broker.add_middleware(Broken())
    broker.add_middleware(diary(calls, "inner ", hooks))
    declare(broker, calls.note, actor_name="work").send("work")
    with working(broker):
        calls.wait_for(7)
    assert calls.made == [
        "outer before_process_message", "inner before_process_message", "work",
        "inner after_process_message", "outer after_process_message", "inner after_ack", "outer after_ack",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    stock.default_middleware,
)
def test_a_middleware_finds_its_place_beside_any_of_dramatiqs_own(broker: Any, kind: Any) -> None:
    before, after = diary(Calls()), diary(Calls())
    broker.add_middleware(before, before=kind)
    broker.add_middleware(after, after=kind)
    kinds = [middleware for middleware in broker.middleware if isinstance(middleware, kind)]
    place = broker.middleware.index(kinds[0])
    assert broker.middleware[place - 1] is before
    assert broker.middleware[place + 1] is after


@pytest.mark.parametrize("kind", [stock.AsyncIO, Results, *stock.default_middleware])
def test_a_middleware_that_is_there_by_default_is_replaced_and_not_doubled(
    ours: Broker, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    before = list(ours.middleware)
    added = Results(backend=StubBackend()) if kind is Results else kind()
    ours.add_middleware(added)
    (present,) = (middleware for middleware in ours.middleware if isinstance(middleware, kind))
    assert present not in before
    assert present is added or isinstance(added, stock.Retries | stock.TimeLimit | stock.Pipelines)
    assert [type(middleware) for middleware in ours.middleware] == [type(each) for each in before]
    assert caplog.messages == []

    # What is brought twice is there twice, as anywhere
    ours.add_middleware(kind(backend=StubBackend()) if kind is Results else kind())
    assert len([each for each in ours.middleware if isinstance(each, kind)]) == 2


def test_settings_of_dramatiqs_own_retries_and_time_limit_hold_when_they_are_added(ours: Broker) -> None:
    ours.add_middleware(stock.Retries(max_retries=1, min_backoff=100, max_backoff=100))
    ours.add_middleware(stock.TimeLimit(time_limit=200))
    attempts = Calls()

    def work() -> None:
        try:
            linger(5)
        except stock.TimeLimitExceeded:
            attempts.note()
            raise

    declare(ours, work).send()
    with working(ours):
        wait_until_empty(ours)
    assert len(attempts.made) == 2
    assert len(dead_letters(ours)) == 1


def test_a_middleware_added_without_a_place_comes_last(broker: Any) -> None:
    last = diary(Calls())
    broker.add_middleware(last)
    assert broker.middleware[-1] is last


def test_a_place_beside_what_is_not_there_is_refused(broker: Any) -> None:
    with pytest.raises(ValueError, match="not found"):
        broker.add_middleware(diary(Calls()), before=stock.CurrentMessage)
    with pytest.raises(AssertionError):
        broker.add_middleware(diary(Calls()), before=stock.AgeLimit, after=stock.AgeLimit)


def test_a_middleware_adds_options_to_actors_and_others_are_refused(broker: Any) -> None:
    class Tenants(Middleware):
        @property
        def actor_options(self) -> set[str]:
            return {"tenant"}

    with pytest.raises(ValueError, match="tenant"):
        declare(broker, lambda: None, actor_name="work", tenant="acme")
    broker.add_middleware(Tenants())
    assert declare(broker, lambda: None, actor_name="work", tenant="acme").options == {"tenant": "acme"}


def test_every_option_of_dramatiqs_own_middleware_is_there(broker: Any) -> None:
    assert broker.actor_options >= {
        "max_age", "time_limit", "notify_shutdown", "on_failure", "on_success", "pipe_ignore", "pipe_target",
        "max_retries", "min_backoff", "max_backoff", "retry_when", "throws", "on_retry_exhausted",
        "store_results", "result_ttl",
    }  # fmt: skip


def test_a_middleware_that_comes_late_is_told_of_all_that_was_declared(broker: Any) -> None:
    calls = Calls()

    class Look(Middleware):
        def before_declare_actor(self, broker: Any, actor: Any) -> None:
            calls.note(("before actor", actor.actor_name))

        def after_declare_actor(self, broker: Any, actor: Any) -> None:
            calls.note(("actor", actor.actor_name))

        def before_declare_queue(self, broker: Any, queue_name: str) -> None:
            calls.note(("before queue", queue_name))

        def after_declare_queue(self, broker: Any, queue_name: str) -> None:
            calls.note(("queue", queue_name))

        def after_declare_delay_queue(self, broker: Any, queue_name: str) -> None:
            calls.note(("delayed", queue_name))

    declare(broker, lambda: None, actor_name="early")
    broker.add_middleware(Look())
    assert calls.made == [("actor", "early"), ("queue", "default"), ("delayed", "default.DQ")]
    declare(broker, lambda: None, actor_name="late", queue_name="late")
    assert calls.made[3:] == [
        ("before actor", "late"), ("before queue", "late"), ("queue", "late"), ("delayed", "late.DQ"),
        ("actor", "late"),
    ]  # fmt: skip


def test_a_workers_life_is_told_hook_by_hook(broker: Any) -> None:
    calls = Calls()
    hooks = (
        "before_worker_boot", "after_worker_boot", "before_worker_shutdown", "after_worker_shutdown",
        "after_worker_thread_boot", "before_worker_thread_shutdown", "after_consumer_thread_boot",
        "before_consumer_thread_shutdown",
    )  # fmt: skip
    broker.add_middleware(diary(calls, hooks=hooks))
    declare(broker, lambda: None, actor_name="work")
    with working(broker, threads=2):
        calls.wait_for(6)
    assert calls.made[0] == "before_worker_boot"
    assert sorted(calls.made[1:6]) == sorted(
        ["after_worker_boot", *["after_worker_thread_boot"] * 2, *["after_consumer_thread_boot"] * 2]
    )
    assert calls.made[6:] == [
        "before_worker_shutdown", *["before_worker_thread_shutdown"] * 2,
        *["before_consumer_thread_shutdown"] * 2, "after_worker_shutdown",
    ]  # fmt: skip
