"""Runs that must not overlap do not, whatever happens to whoever holds the mutex."""

import threading
import time
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

from callboard.core.backoff import fixed
from callboard.core.errors import BadInput
from callboard.middleware import keeper, mutex
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run
from callboard.middleware.scripts import load_script
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    Presence,
    another_broker,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    linger,
    run_events,
    wait_until_empty,
    working,
)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease of 0.6 s, renewed every 0.15 s; who waits looks every 0.1 s."""
    monkeypatch.setattr(mutex, "LEASE", 600)
    monkeypatch.setattr(keeper, "ROUND", 0.15)


def test_two_workers_of_eight_threads_never_run_the_job_at_once(broker: Broker) -> None:
    # Given many runs of a job that must not overlap itself, and two workers
    presence = Presence()

    def work() -> None:
        with presence:
            time.sleep(0.005)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0, mutex=True)
    broker.enqueue_many(broker.get_actor("work").message() for _ in range(200))
    with working(broker, threads=8), working(other, threads=8):
        found = final_events(broker, 200, timeout=30)

    # Then none overlapped, and what was not run was skipped for that reason; nothing has failed
    assert presence.most == 1
    outcomes = {event["s"] for event in found}
    assert outcomes == {"succeeded", "skipped"}
    assert {event["why"] for event in found if event["s"] == "skipped"} == {
        "overlap: the job is already running"
    }
    assert presence.entered == sum(event["s"] == "succeeded" for event in found)
    assert dead_letters(broker) == []


def test_runs_that_follow_each_other_in_one_thread_do_not_overlap_and_none_is_skipped(
    broker: Broker,
) -> None:
    # Given runs of a quick job, one after the other
    @dramatiq.actor(max_retries=0, mutex=True)
    def work() -> None:
        pass

    broker.enqueue_many(work.message() for _ in range(50))
    with working(broker, threads=1):
        found = final_events(broker, 50)

    # Then each finds the mutex free
    assert [event["s"] for event in found] == ["succeeded"] * 50


def test_a_run_that_overlaps_is_skipped_and_burns_nothing(broker: Broker) -> None:
    # Given a long run, and another one of the same job
    release, ran = threading.Event(), Calls()

    @dramatiq.actor(max_retries=3, backoff=fixed(1), mutex=True)
    def work() -> None:
        ran.note()
        release.wait(10)

    first = work.send()
    with working(broker, threads=2):
        ran.wait_for(1)
        second = work.send()
        event = final_event(broker, second)
        release.set()
        assert final_event(broker, first)["s"] == "succeeded"
        wait_until_empty(broker)
    assert run_events(broker, second) == [event]
    assert (event["s"], event["n"]) == ("skipped", 1)
    assert "sta" not in event
    assert "err" not in event
    assert len(ran.made) == 1


def test_a_run_that_waits_holds_no_thread_burns_no_attempt_and_runs_in_the_end(
    broker: Broker, short_lease: None
) -> None:
    # Given one worker busy with a long run, and another of one thread
    release, ran, other_jobs = threading.Event(), Calls(), Calls()

    def work(name: str) -> None:
        ran.note(name)
        if name == "first":
            release.wait(10)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=1, backoff=fixed(1), mutex=True, overlap="wait")
        declare(each, other_jobs.note, actor_name="small", max_retries=0, queue_name="small")
    work_actor, small = broker.get_actor("work"), broker.get_actor("small")
    first = work_actor.send("first")
    with working(broker, threads=1, queues={"default"}):
        ran.wait_for(1)
        with working(other, threads=1):
            # When a second run comes, and with it jobs of other kinds
            second = work_actor.send("second")
            time.sleep(0.3)
            for _ in range(5):
                small.send()

            # Then those run at once
            other_jobs.wait_for(5, timeout=2)
            assert ran.made == ["first"]
            assert run_events(broker, second) == []

            # And the second begins when the first has ended, as its first attempt
            release.set()
            event = final_event(broker, second)
    assert (event["s"], event["n"]) == ("succeeded", 1)
    assert [e["s"] for e in run_events(broker, second)] == ["succeeded"]
    assert final_event(broker, first)["s"] == "succeeded"


def test_the_time_that_a_run_has_waited_for_its_mutex_counts_as_its_wait(
    broker: Broker, short_lease: None
) -> None:
    # Given a run that waits for half a second, hopping from one delay to the next
    @dramatiq.actor(max_retries=0, mutex=True, overlap="wait")
    def work() -> None:
        pass

    broker.client.set(broker.keys.mutex("work"), "somebody", px=500)
    message = work.send()
    with working(broker):
        event = final_event(broker, message)

    # Then its record says that it was ready when it was sent, and not only at its last hop
    assert event["sta"] - event.get("rdy", event["at"]) >= 400


def test_a_run_that_has_waited_beyond_its_time_becomes_stale(broker: Broker, short_lease: None) -> None:
    @dramatiq.actor(max_retries=0, mutex=True, overlap="wait", stale_after=300)
    def work() -> None:
        raise AssertionError("it ran")

    broker.client.set(broker.keys.mutex("work"), "somebody", px=3_000)
    message = work.send()
    with working(broker):
        event = final_event(broker, message)
    assert event["s"] == "skipped"
    assert event["why"].startswith("stale:")


def test_waiting_runs_of_many_workers_all_run_one_by_one(broker: Broker, short_lease: None) -> None:
    presence = Presence()

    def work() -> None:
        with presence:
            time.sleep(0.02)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0, mutex=True, overlap="wait")
    for _ in range(20):
        broker.enqueue(broker.get_actor("work").message())
    with working(broker, threads=8), working(other, threads=8):
        found = final_events(broker, 20, timeout=30)
        wait_until_empty(broker)
    assert [event["s"] for event in found] == ["succeeded"] * 20
    assert (presence.most, presence.entered) == (1, 20)


def test_a_name_with_arguments_is_a_mutex_for_each_of_them(broker: Broker) -> None:
    # Given a job that must not overlap itself for one tenant
    entered, release = Calls(), threading.Event()

    @dramatiq.actor(max_retries=0, mutex="sync:{tenant}")
    def sync(tenant: str, *, full: bool = False) -> None:
        entered.note(tenant)
        release.wait(10)

    with working(broker, threads=4):
        first, second = sync.send("a"), sync.send(tenant="b", full=True)
        entered.wait_for(2)
        third = final_event(broker, sync.send("a"))
        release.set()
        final_event(broker, first), final_event(broker, second)
    assert third["s"] == "skipped"
    assert sorted(entered.made) == ["a", "b"]


def test_two_jobs_may_share_a_mutex(broker: Broker) -> None:
    release, entered = threading.Event(), Calls()

    @dramatiq.actor(max_retries=0, mutex="ledger")
    def write() -> None:
        entered.note()
        release.wait(10)

    @dramatiq.actor(max_retries=0, mutex="ledger")
    def read() -> None:
        entered.note()

    with working(broker, threads=2):
        first = write.send()
        entered.wait_for(1)
        assert final_event(broker, read.send())["s"] == "skipped"
        release.set()
        final_event(broker, first)
        assert final_event(broker, read.send())["s"] == "succeeded"


@pytest.mark.parametrize("outcome", ["succeeds", "fails", "is to be tried again", "is refused later"])
def test_the_mutex_is_free_when_a_run_has_ended_however_it_ended(broker: Broker, outcome: str) -> None:
    @dramatiq.actor(
        max_retries=1 if outcome == "is to be tried again" else 0,
        backoff=fixed(60_000),
        mutex=True,
        max_age=1 if outcome == "is refused later" else None,
    )
    def work() -> None:
        if outcome != "succeeds":
            raise ConnectionError

    message = work.send()
    time.sleep(0.01)
    with working(broker):
        wait_for(lambda: run_events(broker, message))
    assert broker.client.exists(broker.keys.mutex("work")) == 0
    assert int(broker.client.get(broker.keys.fence("work")) or 0) == 1


def test_a_holder_that_died_is_followed_within_its_lease(broker: Broker, short_lease: None) -> None:
    # Given a mutex that somebody took who does not live to renew it
    @dramatiq.actor(max_retries=0, mutex=True, overlap="wait")
    def work() -> None:
        pass

    acquire = load_script(broker.client, "acquire")
    taken = acquire(keys=[broker.namespace], args=["work", "run", "run:dead", mutex.LEASE, "wait", 1])
    assert taken == [1, b"run"]

    # When a run waits for it, then it has it shortly after the lease
    begun = time.monotonic()
    with working(broker):
        assert final_event(broker, work.send())["s"] == "succeeded"
    assert 0.4 < time.monotonic() - begun < 10


def test_a_run_longer_than_the_lease_keeps_its_mutex(
    broker: Broker, short_lease: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run three times as long as the lease, on a worker that takes nothing ahead
    monkeypatch.setattr(dramatiq.worker, "QUEUE_PREFETCH", 1)
    presence = Presence()

    def work() -> None:
        with presence:
            time.sleep(1.8)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0, mutex=True)
    message = broker.enqueue(broker.get_actor("work").message())
    with working(broker, threads=1), working(other, threads=2):
        wait_for(lambda: presence.inside)
        time.sleep(1.3)

        # When another one comes after twice the lease, then it is turned away
        late = [broker.enqueue(broker.get_actor("work").message()) for _ in range(2)]
        assert {final_event(broker, m)["s"] for m in late} == {"skipped"}
        assert final_event(broker, message)["s"] == "succeeded"
    assert presence.most == 1


def test_stock_dramatiqs_limiter_lets_two_in_at_once(broker: Broker) -> None:
    # Given Dramatiq's mutex with a time to live that is shorter than the work of its holder
    backend = RedisBackend(client=broker.client)
    limiter = ConcurrentRateLimiter(backend, "work", limit=1, ttl=200)
    presence = Presence()

    def work(seconds: float) -> None:
        with limiter.acquire(raise_on_failure=False) as acquired:
            if acquired:
                with presence:
                    time.sleep(seconds)

    # When a second comes after that time, and a third after the first has left
    threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.5, 0.9, 0.5)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join()

    # Then two were inside at once, and the third as well, since the first had given away what was not its own
    assert presence.most == 2
    assert presence.entered == 3


def test_each_holder_gets_a_larger_fencing_number_than_all_before(broker: Broker) -> None:
    numbers = Calls()

    def work() -> None:
        run = current_run()
        numbers.note(run and run.fence)

    other = another_broker(broker)
    for each in (broker, other):
        declare(each, work, max_retries=0, mutex=True)
    with working(broker, threads=2), working(other, threads=2):
        for _ in range(20):
            final_event(broker, broker.enqueue(broker.get_actor("work").message()))
    assert numbers.made == list(range(1, 21))


def test_a_holder_that_lost_its_mutex_is_broken_off_and_goes_again_when_the_other_has_ended(
    broker: Broker, short_lease: None, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a run whose mutex vanished from Redis and was taken by somebody else
    started = Calls()

    @dramatiq.actor(max_retries=0, mutex=True)
    def work() -> None:
        started.note()
        if len(started.made) == 1:
            linger(10)

    message = work.send()
    with working(broker):
        started.wait_for(1)
        broker.client.set(broker.keys.mutex("work"), "somebody else", px=1_500)
        wait_for(lambda: "has lost its mutex" in caplog.text, what="the complaint")

        # Then it ends without touching the other's, and that is no failed attempt
        (lost,) = wait_for(lambda: events(broker, "lost"), what="its end")
        assert lost["err"][0] == "MutexLost"
        assert broker.client.get(broker.keys.mutex("work")) == b"somebody else"

        # And it goes again, as the same attempt, once the other's lease is over
        event = final_event(broker, message)
    assert (event["s"], event["n"]) == ("succeeded", 1)
    assert len(started.made) == 2


def test_a_mutex_that_redis_has_forgotten_is_taken_again_by_who_had_it(
    broker: Broker, short_lease: None
) -> None:
    started, release = Calls(), threading.Event()

    @dramatiq.actor(max_retries=0, mutex=True)
    def work() -> None:
        started.note()
        release.wait(10)

    first = work.send()
    with working(broker):
        started.wait_for(1)
        broker.client.delete(broker.keys.mutex("work"))
        wait_for(lambda: broker.client.exists(broker.keys.mutex("work")), what="the renewal")

        # Then nobody comes in between, and its end frees it
        assert final_event(broker, work.send())["s"] == "skipped"
        release.set()
        assert final_event(broker, first)["s"] == "succeeded"
        wait_for(lambda: not broker.client.exists(broker.keys.mutex("work")), what="the release")


def test_a_retry_waits_for_a_mutex_that_another_run_has_taken_meanwhile(
    broker: Broker, short_lease: None
) -> None:
    # Given a run that waits for its second attempt, and another that has taken the mutex
    made, release = Calls(), threading.Event()

    @dramatiq.actor(max_retries=1, backoff=fixed(200), mutex=True)
    def work(name: str) -> None:
        made.note(name)
        if made.made == ["first"]:
            raise ValueError("not yet")
        if name == "second":
            release.wait(10)

    first = work.send("first")
    with working(broker):
        made.wait_for(1)
        wait_for(
            lambda: any(event["s"] == "pending" for event in run_events(broker, first)), what="its failure"
        )
        second = work.send("second")
        made.wait_for(2)
        time.sleep(0.5)
        release.set()

        # Then both succeed: the retry has waited, and was not skipped
        assert final_event(broker, second)["s"] == "succeeded"
        event = final_event(broker, first)
    assert (event["s"], event["n"]) == ("succeeded", 2)


def test_a_run_whose_worker_died_waits_for_the_lease_of_its_own_mutex(
    broker: Broker, short_lease: None
) -> None:
    # Given a message that was taken from a dead worker, whose execution of it had the mutex
    ran = Calls()
    work = declare(broker, ran.note, actor_name="work", max_retries=0, mutex=True)
    message = work.send()
    dead = another_broker(broker)
    assert len(dead.fetch("default", 1)) == 1
    broker.client.set(broker.keys.mutex("work"), f"{message.message_id}:dead", px=1_000)
    broker.client.zadd(broker.keys.heartbeats, {dead.broker_id: int(time.time() * 1000) - 60_000})

    # Then it runs when the lease is over, whatever the policy for overlaps
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"
    assert len(ran.made) == 1
    assert broker.client.hlen(broker.keys.rescued) == 0


def test_a_mutex_whose_reply_got_lost_is_taken_by_asking_again(broker: Broker) -> None:
    acquire = load_script(broker.client, "acquire")

    def ask(run: str, token: str) -> list[Any]:
        args = ["work", run, token, 1_000, "skip", 1]
        answer: list[Any] = acquire(keys=[broker.namespace], args=args)
        return answer

    assert ask("a", "a:1") == [1, b"a"]
    assert ask("a", "a:1") == [1, b"a"]
    assert ask("b", "b:1") == [0, b"a"]
    assert ask("a", "a:2") == [mutex.OWN, b"a"]


def test_a_run_never_starts_without_its_mutex_when_redis_refuses_to_answer(
    broker: Broker, redis_client: redis.Redis
) -> None:
    # Given a Redis that does not let this worker take a mutex, nor write its counter
    presence = Presence()
    user = {"username": "lockless", "password": "lockless"}
    redis_client.execute_command(
        "ACL", "SETUSER", "lockless", "on", ">lockless", "~*", "&*", "+@all", "-incr"
    )

    def work() -> None:
        with presence:
            pass

    restricted = another_broker(broker, **user)
    for each in (broker, restricted):
        declare(each, work, max_retries=0, mutex=True)
    message = broker.enqueue(broker.get_actor("work").message())
    try:
        with working(restricted, threads=1):
            # When it comes to such a run, then it puts it off
            time.sleep(0.5)
            assert presence.entered == 0
            assert run_events(broker, message) == []

            # And runs it when it may
            redis_client.execute_command("ACL", "SETUSER", "lockless", "+incr")
            redis_client.delete(broker.keys.mutex("work"))
            assert final_event(broker, message)["s"] == "succeeded"
    finally:
        restricted.close()
        redis_client.execute_command("ACL", "DELUSER", "lockless")


def test_a_name_that_does_not_fit_the_arguments_ends_the_run_before_it_starts(broker: Broker) -> None:
    # Given a mutex by an attribute that this argument does not have
    @dramatiq.actor(max_retries=3, mutex="sync:{order[number]}")
    def sync(order: Any) -> None:
        raise AssertionError("it ran")

    message = sync.send({"name": "no number"})
    with working(broker):
        event = final_event(broker, message)
        wait_until_empty(broker)
    assert (event["s"], event["n"]) == ("dead", 1)
    assert event["why"].startswith("the mutex sync:{order[number]} does not fit the arguments")
    assert len(dead_letters(broker)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"overlap": "queue", "mutex": True}, "overlap='queue'"),
        ({"mutex": "sync:{tenant}"}, "{tenant}"),
        ({"mutex": "sync:{"}, "sync:{"),
        ({"mutex": 7}, "mutex=7"),
    ],
    ids=["overlap", "no such argument", "an open brace", "a number"],
)
def test_wrong_options_are_refused_in_one_sentence_where_the_actor_is_declared(
    broker: Broker, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput) as refused:

        @dramatiq.actor(**options)
        def work(number: int) -> None:
            pass

    text = str(refused.value)
    assert "work" in text
    assert said in text
    assert "\n" not in text
    assert text.endswith(".")


def test_a_name_with_awkward_characters_is_a_mutex_like_any_other(broker: Broker) -> None:
    presence = Presence()

    @dramatiq.actor(max_retries=0, mutex="sync:{tenant}")
    def sync(tenant: str) -> None:
        with presence:
            time.sleep(0.2)

    with working(broker, threads=2):
        messages = [sync.send("a\ud800\0b") for _ in range(2)]
        outcomes = sorted(final_event(broker, message)["s"] for message in messages)
    assert outcomes == ["skipped", "succeeded"]
    assert presence.most == 1
