"""Pipelines and groups: next parts are neither lost nor doubled, and each part says what it belongs to."""

import time
from typing import Any

import dramatiq
import pytest
from dramatiq import group, pipeline
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from callboard.middleware.chains import Groups
from helpers.waiting import wait_for
from helpers.workers import (
    Calls,
    dead_letters,
    declare,
    events,
    final_event,
    final_events,
    left_over,
    run_events,
    wait_until_empty,
    working,
)


def test_the_parts_of_a_chain_follow_each_other_with_the_delay_between(broker: Broker) -> None:
    # Given incremental, then half a second, then totals
    ran = Calls()

    @dramatiq.actor(max_retries=0)
    def incremental() -> int:
        ran.note(("incremental", time.monotonic()))
        return 7

    @dramatiq.actor(max_retries=0)
    def totals(found: int) -> int:
        ran.note((f"totals of {found}", time.monotonic()))
        return found

    first, second = incremental.message(), totals.message_with_options(delay=500)
    with working(broker):
        pipeline([first, second]).run()
        (one, begun), (two, followed) = ran.wait_for(2)
        wait_until_empty(broker)
    assert (one, two) == ("incremental", "totals of 7")
    assert 0.45 < followed - begun < 15

    # And each part's record names them all
    parts = [[first.message_id, "incremental"], [second.message_id, "totals"]]
    for number, message in enumerate((first, second), start=1):
        chain = final_event(broker, message)["flw"]["chain"]
        assert chain == {"id": first.message_id, "part": number, "parts": parts}


def test_a_part_that_is_delivered_twice_is_followed_once(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a part whose message is taken from its worker while it runs
    ran, followed, taken = Calls(), Calls(), Calls()

    @dramatiq.actor(max_retries=0)
    def first() -> None:
        if ran.note() == 1:
            (redis_id,) = broker.client.smembers(broker.keys.acks(broker.broker_id, "default"))
            broker.client.srem(broker.keys.acks(broker.broker_id, "default"), redis_id)
            taken.note(redis_id)

    @dramatiq.actor(max_retries=0)
    def second(_: None) -> None:
        followed.note()

    with working(broker, threads=1):
        pipeline([first.message(), second.message()]).run()
        wait_for(lambda: "was refused" in caplog.text)
        assert followed.made == []

        # When it is delivered again, then it is followed this time
        broker.client.rpush(broker.keys.queue("default"), *taken.made)
        broker.client.lpush(broker.keys.wake("default"), "1")
        followed.wait_for(1)
        wait_until_empty(broker)
    assert (len(ran.made), len(followed.made)) == (2, 1)


def test_a_part_that_fails_is_not_followed_and_one_that_succeeds_at_last_is(broker: Broker) -> None:
    attempts, followed = Calls(), Calls()

    @dramatiq.actor(max_retries=1, backoff=fixed(1))
    def first(fails: int) -> None:
        if attempts.note() <= fails:
            raise ConnectionError

    @dramatiq.actor(max_retries=0)
    def second(_: None) -> None:
        followed.note()

    with working(broker):
        for fails in (1, 2):
            attempts.made.clear()
            message = first.message(fails)
            pipeline([message, second.message()]).run()
            final_event(broker, message)
            wait_until_empty(broker)
    assert len(followed.made) == 1


def test_a_result_that_no_message_can_carry_fails_the_part_and_is_not_lost(broker: Broker) -> None:
    @dramatiq.actor(max_retries=3)
    def first() -> object:
        return object()

    @dramatiq.actor
    def second(_: object) -> None:
        pass

    message = first.message()
    with working(broker):
        pipeline([message, second.message()]).run()
        event = final_event(broker, message)
    assert event["s"] == "failed"
    assert event["err"][0] == "TypeError"
    assert len(dead_letters(broker)) == 1


def test_what_follows_a_group_runs_once_when_all_of_it_has_succeeded(broker: Broker) -> None:
    # Given a group of five, without any middleware for it, one of whose parts needs a second attempt
    ran, done = Calls(), Calls()

    @dramatiq.actor(max_retries=1, backoff=fixed(50))
    def part(number: int) -> None:
        ran.note(number)
        if number == 3 and ran.made.count(3) == 1:
            raise ConnectionError

    @dramatiq.actor(max_retries=0)
    def finish() -> None:
        done.note(len(set(ran.made)))

    parts, last = [part.message(number) for number in range(5)], finish.message()
    made = group(parts)
    made.add_completion_callback(last)
    with working(broker):
        made.run()
        done.wait_for(1)
        wait_until_empty(broker)
        time.sleep(0.1)
    assert done.made == [5]
    flows = [final_event(broker, message)["flw"]["group"] for message in parts]
    assert {flow["id"] for flow in flows} == {final_event(broker, last)["flw"]["group"]["id"]}
    assert flows[0]["then"] == [[last.message_id, "finish"]]
    assert not broker.client.keys("*__group*")


def test_a_group_with_a_part_that_failed_is_not_followed(broker: Broker) -> None:
    done = Calls()

    @dramatiq.actor(max_retries=0)
    def part(number: int) -> None:
        if number:
            raise ValueError

    @dramatiq.actor
    def finish() -> None:
        done.note()

    made = group([part.message(number) for number in range(3)])
    made.add_completion_callback(finish.message())
    with working(broker):
        made.run()
        final_events(broker, 3)
        time.sleep(0.2)
    assert done.made == []
    assert left_over(broker) == 0


def test_the_groups_middleware_of_an_application_which_stock_workers_may_share_stays(broker: Broker) -> None:
    own = GroupCallbacks(StubBackend())  # type: ignore[no-untyped-call]
    made = Broker(url=broker.url, namespace=broker.namespace, middleware=[own])
    assert [each for each in made.middleware if isinstance(each, GroupCallbacks)] == [own]
    (ours,) = [each for each in broker.middleware if isinstance(each, GroupCallbacks)]
    assert isinstance(ours, Groups)


@pytest.mark.parametrize("number", [1])
def test_a_message_that_is_part_of_nothing_says_nothing(broker: Broker, number: int) -> None:
    @dramatiq.actor(max_retries=0)
    def work(number: int) -> None:
        pass

    message = work.send(number)
    with working(broker):
        final_event(broker, message)
    assert "flw" not in run_events(broker, message)[0]
    assert events(broker)


ODD_GROUPS: dict[str, tuple[Any, Any]] = {
    "a list for an id": (["a", "list"], [None]),
    "half a character": ("\ud800", [None]),
    "a number for an id": (7, [None]),
    "a number for what follows": ("group", 7),
    "numbers for what follows": ("group", [7]),
    "nothing in what follows": ("group", [{}]),
}


@pytest.mark.parametrize(("group", "callbacks"), ODD_GROUPS.values(), ids=ODD_GROUPS.keys())
def test_an_odd_group_keeps_no_worker_from_its_work(broker: Broker, group: Any, callbacks: Any) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    if callbacks == [None]:
        callbacks = [broker.get_actor("work").message("after").asdict()]
    odd = {"group_completion_uuid": group, "group_completion_callbacks": callbacks}
    with working(broker, threads=1):
        broker.get_actor("work").send_with_options(args=("odd",), **odd)
        broker.get_actor("work").send("last")
        final_events(broker, 2)
        wait_until_empty(broker)
    assert ran.made == ["odd", "last"]


def test_a_part_for_a_queue_that_cannot_be_named_ends_its_chain(broker: Broker) -> None:
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    following = broker.get_actor("work").message("following").copy(queue_name="\ud800")
    with working(broker, threads=1):
        message = broker.get_actor("work").send_with_options(args=("first",), pipe_target=following.asdict())
        assert final_event(broker, message)["s"] == "failed"
        broker.get_actor("work").send("last")
        final_events(broker, 2)
    assert ran.made == ["first", "last"]
