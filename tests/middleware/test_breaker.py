"""A breaker spares a dependency that is down, and costs no run anything."""

import threading
import time
from typing import Any

import dramatiq
import pytest
import redis

from callboard.core.errors import BadInput
from callboard.middleware import keeper, mutex
from callboard.middleware.broker import Broker
from callboard.middleware.committer import Committer
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    another_broker,
    declare,
    events,
    final_event,
    final_events,
    wait_until_empty,
    working,
)


class Dependency:
    """Something that may be down."""

    def __init__(self) -> None:
        self.down = True
        self.calls = Calls()

    def call(self) -> None:
        """Fails while it is down."""
        self.calls.note()
        if self.down:
            raise ConnectionError("no route to whatsapp")


def state(broker: Broker, name: str = "whatsapp") -> str:
    """The state of a breaker."""
    found: Any = broker.client.hget(broker.keys.breaker(name), "state")
    return "closed" if found is None else found.decode()


def changes(broker: Broker) -> list[tuple[str, str]]:
    """All changes of state, from and to."""
    return [(event["from"], event["to"]) for event in events(broker, "breaker")]


def test_five_failures_in_a_row_open_it_and_the_probe_closes_it_again(broker: Broker) -> None:
    # Given a dependency that is down, and a job that is sent again and again
    whatsapp = Dependency()

    def send() -> None:
        time.sleep(0.1)
        whatsapp.call()

    declare(broker, send, max_retries=0, breaker="whatsapp", breaker_timeout=2_000)
    actor = broker.get_actor("send")
    with working(broker, threads=1):
        broker.enqueue_many(actor.message() for _ in range(20))

        # Then it is called five times (or a few more: one may begin before a failure is committed), and the
        # others wait
        parked = broker.keys.lot("breaker|whatsapp")
        wait_for(lambda: broker.client.llen(parked) + len(whatsapp.calls.made) == 20)
        called = len(whatsapp.calls.made)
        assert 5 <= called <= 8
        assert state(broker) == "open"

        # And after the recovery time one probe goes, fails and opens it again
        whatsapp.calls.wait_for(called + 1)
        wait_for(lambda: changes(broker)[-1] == ("half_open", "open"))
        assert len(whatsapp.calls.made) == called + 1

        # And when it is up again the next one closes it, and all that waited go, each in its first attempt
        whatsapp.down = False
        found = final_events(broker, 20)
        wait_until_empty(broker)
    assert len(whatsapp.calls.made) == 20
    assert [event["s"] for event in found].count("failed") == called + 1
    assert {event["n"] for event in found} == {1}
    assert changes(broker) == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]
    first = events(broker, "breaker")[0]
    assert first["cause"] == "ConnectionError: no route to whatsapp"
    assert (first["name"], first["job"]) == ("whatsapp", "send")


def test_one_probe_goes_at_a_time_across_all_workers(broker: Broker) -> None:
    # Given a breaker whose recovery time is over, two workers and many runs
    probes, heard = Calls(), threading.Event()

    def send() -> None:
        probes.note()
        assert heard.wait(30)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, send, max_retries=0, breaker="whatsapp")
    opened = {"state": "open", "opened_at": 1, "until": 1, "cause": "down"}
    broker.client.hset(broker.keys.breaker("whatsapp"), mapping=opened)
    broker.enqueue_many(broker.get_actor("send").message() for _ in range(12))
    with working(broker), working(other):
        probes.wait_for(1)
        time.sleep(0.3)

        # Then one of them tries, and its success lets the others go
        assert len(probes.made) == 1
        heard.set()
        final_events(broker, 12)
    assert changes(broker) == [("open", "half_open"), ("half_open", "closed")]


def test_a_job_whose_runs_are_skipped_while_it_is_open_does_not_wait(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, breaker=True, when_open="skip")
    def fetch() -> None:
        raise AssertionError("it ran")

    until = (time.time() + 60) * 1000
    opened = {"state": "open", "opened_at": 1_700_000_000_000, "until": until, "cause": "TimeoutError: slow"}
    broker.client.hset(broker.keys.breaker("fetch"), mapping=opened)
    message = fetch.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["s"] == "skipped"
    assert event["why"] == "breaker: fetch is open since 22:13:20 UTC (TimeoutError: slow)"


def test_a_retry_waits_even_where_others_are_skipped_and_burns_no_attempt(broker: Broker) -> None:
    # Given a job whose first failure opens its breaker
    whatsapp = Dependency()

    def send() -> None:
        whatsapp.call()

    declare(
        broker, send, max_retries=1, min_backoff=1, max_backoff=2, breaker=True, when_open="skip",
        breaker_threshold=1, breaker_timeout=600,
    )  # fmt: skip
    message = broker.get_actor("send").send()
    with working(broker):
        wait_for(lambda: broker.client.llen(broker.keys.lot("breaker|send")) == 1)
        whatsapp.down = False
        event = final_event(broker, message)
    assert (event["s"], event["n"]) == ("succeeded", 2)
    assert len(whatsapp.calls.made) == 2


def test_a_success_in_between_begins_the_count_anew(broker: Broker) -> None:
    outcomes = [False, False, True, False, False, True]

    @dramatiq.actor(max_retries=0, breaker=True, breaker_threshold=3)
    def work(number: int) -> None:
        if not outcomes[number]:
            raise ConnectionError

    with working(broker, threads=1):
        for number in range(len(outcomes)):
            final_event(broker, work.send(number))
    assert state(broker, "work") == "closed"
    assert changes(broker) == []


def test_failures_that_are_further_apart_than_the_window_do_not_add_up(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, breaker=True, breaker_threshold=2, breaker_window=100)
    def work() -> None:
        raise ConnectionError

    with working(broker, threads=1):
        for _ in range(3):
            final_event(broker, work.send())
            time.sleep(0.3)
    assert state(broker, "work") == "closed"


def test_what_a_job_expects_says_nothing_of_its_dependency(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, breaker=True, breaker_threshold=1, throws=(LookupError,))
    def work() -> None:
        raise LookupError("no such customer")

    with working(broker):
        final_event(broker, work.send())
    assert state(broker, "work") == "closed"


def test_a_probe_whose_worker_died_is_followed_by_another_within_its_lease(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutex, "LEASE", 500)
    monkeypatch.setattr(keeper, "ROUND", 0.1)
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0, breaker=True)
    dead = {"state": "half_open", "probe": "dead", "probe_until": (time.time() + 0.5) * 1000}
    broker.client.hset(broker.keys.breaker("work"), mapping=dead)
    broker.get_actor("work").send()
    with working(broker):
        ran.wait_for(1, timeout=3)
        wait_for(lambda: state(broker, "work") == "closed")


def test_a_probe_that_finds_its_mutex_taken_leaves_the_try_to_another(
    broker: Broker, redis_client: redis.Redis
) -> None:
    # Given a breaker that is half open, and a run that has to wait for a mutex
    ran = Calls()
    declare(broker, ran.note, actor_name="held", max_retries=0, breaker="b", mutex="m", overlap="wait")
    declare(broker, ran.note, actor_name="free", max_retries=0, breaker="b")
    redis_client.set(broker.keys.mutex("m"), "somebody:1", px=60_000)
    broker.client.hset(broker.keys.breaker("b"), mapping={"state": "open", "until": 1})
    broker.get_actor("held").send("held")
    with working(broker):
        wait_for(lambda: broker.client.llen(broker.keys.lot("mutex|m")) == 1)
        broker.get_actor("free").send("free")
        ran.wait_for(1)
        wait_for(lambda: state(broker, "b") == "closed")
        assert ran.made == ["free"]
        redis_client.delete(broker.keys.mutex("m"))


@pytest.mark.parametrize(
    "options",
    [
        {"breaker": 1.5},
        {"breaker": ""},
        {"breaker": True, "when_open": "fail"},
        {"breaker": True, "breaker_threshold": 0},
        {"breaker": True, "breaker_timeout": "5 min"},
        {"breaker": True, "breaker_window": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(broker: Broker, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"The actor work has {list(options)[-1]}="):
        declare(broker, lambda: None, actor_name="work", **options)


def test_a_commit_whose_reply_is_lost_counts_a_failure_once(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker whose every commit is sent twice
    send = Committer._call

    def send_twice(committer: Committer, arguments: list[str | bytes | int]) -> list[int]:
        send(committer, arguments)
        return send(committer, arguments)

    monkeypatch.setattr(Committer, "_call", send_twice)

    @dramatiq.actor(max_retries=0, breaker="fragile")
    def work() -> None:
        raise ConnectionError

    for _ in range(3):
        work.send()
    with working(broker, threads=1):
        final_events(broker, 3)
        wait_until_empty(broker)
    assert broker.client.hget(broker.keys.breaker("fragile"), "failures") == b"3"
    assert state(broker, "fragile") == "closed"
