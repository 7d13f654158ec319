"""Limits hold across the fleet, and whoever waits for one holds up nobody."""

import threading
import time
from typing import Any

import dramatiq
import pytest

from callboard.core.errors import BadInput
from callboard.middleware import keeper, mutex, parking
from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    Presence,
    another_broker,
    dead_letters,
    declare,
    final_event,
    final_events,
    run_events,
    wait_until_empty,
    working,
)


def test_no_more_than_the_limit_go_at_a_time_whatever_the_number_of_workers(broker: Broker) -> None:
    # Given a limit of 3 for each tenant, two workers of eight threads, and more runs than may go
    presence = {"a": Presence(), "b": Presence()}

    def work(tenant: str) -> None:
        with presence[tenant]:
            time.sleep(0.02)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=2, limit={"key": "tenant:{tenant}", "concurrent": 3})
    broker.enqueue_many(broker.get_actor("work").message(tenant) for tenant in "ab" * 40)
    with working(broker, threads=8), working(other, threads=8):
        found = final_events(broker, 80, timeout=30)
        wait_until_empty(broker)

    # Then the limit was used and never exceeded, and waiting has cost nobody an attempt
    assert [each.most for each in presence.values()] == [3, 3]
    assert {(event["s"], event["n"]) for event in found} == {("succeeded", 1)}
    assert broker.client.exists(broker.keys.lots, broker.keys.limits, broker.keys.slots("tenant:a")) == 0


def test_whoever_waits_for_a_limit_holds_no_thread(broker: Broker) -> None:
    # Given one tenant whose run takes long, with more of them waiting, and a worker of two threads
    others, release = Calls(), threading.Event()

    @dramatiq.actor(max_retries=0, limit={"key": "one", "concurrent": 1})
    def work() -> None:
        release.wait(60)

    declare(broker, others.note, actor_name="other", max_retries=0)
    broker.enqueue_many(work.message() for _ in range(5))
    with working(broker, threads=2):
        wait_for(lambda: broker.client.llen(broker.keys.lot("limit|one")) == 4)
        for _ in range(10):
            broker.get_actor("other").send()
        others.wait_for(10)
        release.set()
        final_events(broker, 15)


def test_no_minute_ever_sees_more_than_its_number(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a limit of 5 a minute, of which 3 were used half a minute ago and 9 in the minute before
    monkeypatch.setattr(parking, "LONGEST", 0.2)
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0, limit={"per_minute": 5})
    now = int(broker.client.time()[0])  # type: ignore[index]
    broker.client.hset(broker.keys.rate("work"), mapping={str(now - 30): 3, str(now - 75): 9})
    broker.enqueue_many(broker.get_actor("work").message(number) for number in range(4))
    with working(broker):
        ran.wait_for(2)
        time.sleep(0.6)

        # Then two go and two wait
        assert len(ran.made) == 2
        assert broker.client.llen(broker.keys.lot("limit|work")) == 2

        # And as those of half a minute ago leave the minute, the others follow
        broker.client.hdel(broker.keys.rate("work"), str(now - 30))
        ran.wait_for(4)
    assert sorted(ran.made) == [0, 1, 2, 3]


def test_of_several_limits_none_is_used_where_one_is_used_up(broker: Broker) -> None:
    @dramatiq.actor(
        max_retries=0, limit=[{"key": "wide", "per_minute": 9}, {"key": "narrow", "concurrent": 1}]
    )
    def work() -> None:
        pass

    broker.client.zadd(broker.keys.slots("narrow"), {"somebody": (time.time() + 60) * 1000})
    work.send()
    with working(broker):
        wait_for(lambda: broker.client.llen(broker.keys.lot("limit|narrow")) == 1)
        assert broker.client.exists(broker.keys.rate("wide")) == 0


def test_the_slot_of_a_dead_worker_is_free_within_its_lease(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a slot whose holder does not live to renew it
    monkeypatch.setattr(mutex, "LEASE", 600)
    monkeypatch.setattr(keeper, "ROUND", 0.15)
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0, limit={"concurrent": 1})
    broker.client.zadd(broker.keys.slots("work"), {"dead": (time.time() + 0.6) * 1000})
    broker.get_actor("work").send()
    begun = time.monotonic()
    with working(broker):
        ran.wait_for(1)
    assert 0.3 < time.monotonic() - begun < 10


def test_a_run_longer_than_the_lease_keeps_its_slot(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutex, "LEASE", 400)
    monkeypatch.setattr(keeper, "ROUND", 0.1)
    presence = Presence()

    @dramatiq.actor(max_retries=0, limit={"concurrent": 1})
    def work() -> None:
        with presence:
            time.sleep(1)

    work.send()
    work.send()
    with working(broker):
        final_events(broker, 2)
    assert presence.most == 1


def test_a_retry_asks_for_its_slot_anew_and_a_failure_gives_it_back(broker: Broker) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=1, backoff="fixed", min_backoff=1, limit={"concurrent": 1})
    def work() -> None:
        if attempts.note() == 1:
            raise ConnectionError

    first, second = work.send(), work.send()
    with working(broker):
        for message in (first, second):
            assert final_event(broker, message, timeout=20)["s"] == "succeeded"
    assert len(attempts.made) == 3


def test_arguments_that_the_key_does_not_fit_go_to_the_dead_letters(broker: Broker) -> None:
    @dramatiq.actor(max_retries=3, limit={"key": "t:{user[id]}", "concurrent": 1})
    def work(user: Any) -> None:
        raise AssertionError("it ran")

    message = work.send(7)
    with working(broker):
        event = final_event(broker, message)
    assert event["s"] == "dead"
    assert "does not fit the arguments" in event["why"]
    assert len(dead_letters(broker)) == 1
    assert len(run_events(broker, message)) == 1


@pytest.mark.parametrize(
    "limit",
    [
        4,
        {},
        {"key": "a"},
        {"concurrent": 0},
        {"concurrent": "4"},
        {"concurrent": True},
        {"per_minute": -1},
        {"per_minute": 1, "every": 2},
        {"key": 7, "concurrent": 1},
        {"key": "{nobody}", "concurrent": 1},
        {"key": "{", "concurrent": 1},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_where_it_is_declared(broker: Broker, limit: Any) -> None:
    with pytest.raises(BadInput, match="The actor work has limit="):
        declare(broker, lambda: None, actor_name="work", limit=limit)


def test_whoever_waits_for_a_mutex_uses_up_no_minute(broker: Broker) -> None:
    # Given a job of which one run may go on at a time, and ten may begin in a minute
    ran = Calls()

    def work() -> None:
        ran.note()
        time.sleep(0.05)

    declare(broker, work, max_retries=0, mutex=True, overlap="wait", limit={"per_minute": 10})
    broker.enqueue_many(broker.get_actor("work").message() for _ in range(20))
    with working(broker):
        # Then ten do
        ran.wait_for(10)
        wait_for(lambda: broker.client.llen(broker.keys.lot("limit|work")) == 10)
    assert len(ran.made) == 10
