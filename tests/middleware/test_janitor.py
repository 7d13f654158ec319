"""What is astray in a worker that lives goes back to its queue."""

import pytest
from dramatiq import MessageProxy

from callboard.middleware import keeper
from callboard.middleware.broker import Broker
from callboard.middleware.delivery import Delivery
from callboard.middleware.janitor import Janitor
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import park
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, held, linger, stock_broker, wait_until_empty, working


def test_a_message_that_nobody_has_in_hand_goes_back_and_runs(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker whose name a message is taken under, although it has never got it
    monkeypatch.setattr(keeper, "ROUND", 0.05)
    ran = Calls()
    declare(broker, ran.note, actor_name="work", max_retries=0)
    with working(broker):
        broker.get_actor("work").send("first")
        ran.wait_for(1)
        message = broker.get_actor("work").message("astray")
        broker.client.hset(broker.keys.messages("default"), "lost", message.encode())
        broker.client.sadd(broker.keys.acks(broker.broker_id, "default"), "lost")

        # Then it runs within a few rounds
        ran.wait_for(2, timeout=3)
        wait_until_empty(broker)
    assert ran.made == ["first", "astray"]


def test_what_is_being_worked_on_is_left_where_it_is(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ROUND", 0.05)
    ran = Calls()

    def work() -> None:
        ran.note()
        linger(1)

    declare(broker, work, max_retries=0)
    delayed = broker.get_actor("work").send_with_options(delay=1_500)
    with working(broker, threads=1):
        for _ in range(3):
            broker.get_actor("work").send()
        wait_until_empty(broker)
    assert delayed
    assert len(ran.made) == 4


def test_what_is_astray_for_a_moment_only_is_left_where_it_is(broker: Broker) -> None:
    # Given a janitor that looks while a reply is still on its way
    declare(broker, lambda: None, actor_name="work")
    consumer = broker.consume("default")
    janitor = Janitor(broker)
    broker.get_actor("work").send()
    broker.client.sadd(broker.keys.acks(broker.broker_id, "default"), "coming")
    assert janitor.look() == 0
    broker.client.srem(broker.keys.acks(broker.broker_id, "default"), "coming")
    assert janitor.look() == 0
    consumer.close()


def test_stock_dramatiq_leaves_it_there_for_ever(broker: Broker) -> None:
    stock = stock_broker(broker, [])
    ran = Calls()
    declare(stock, ran.note, actor_name="work")
    with working(stock):
        message = stock.get_actor("work").message()
        stock.client.hset(f"{stock.namespace}:default.msgs", "lost", message.encode())
        stock.client.sadd(f"{stock.namespace}:__acks__.{stock.broker_id}.default", "lost")
        for _ in range(20):
            stock.get_actor("work").send()
        ran.wait_for(20)
        wait_for(lambda: held(stock) == {"lost"})
    assert len(ran.made) == 20


def test_a_message_that_comes_back_before_its_parking_is_told_of_is_in_hand(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that has a parked message again before it has heard that it was parked
    declare(broker, lambda: None, actor_name="work")
    broker.get_actor("work").send()
    consumer = broker.consume("default", prefetch=8)
    wake = load_script(broker.client, "wake")
    again: list[MessageProxy | None] = []

    def come_back() -> None:
        wake(keys=[broker.namespace], args=[1, 1_000])
        again.append(next(consumer))

    monkeypatch.setattr(broker.committer, "look", come_back)
    delivery = next(consumer)
    assert isinstance(delivery, Delivery)
    park(delivery, "pause|job:work", "paused", "pause")
    consumer.ack(delivery)
    assert broker.committer.flush()

    # Then it is in hand, and no janitor gives it to a second thread
    assert [type(each) for each in again] == [Delivery]
    assert [hand.ids() for _, hand in broker.hands()] == [{delivery.redis_id}]
    assert held(broker) == {delivery.redis_id}
    consumer.close()


def test_what_is_noted_of_messages_that_are_no_more_is_dropped_bit_by_bit(broker: Broker) -> None:
    # Given notes of messages that wait, are delayed, or are on a queue of others, and of many that are gone
    keys, client = broker.keys, broker.client
    declare(broker, lambda: None, actor_name="work")
    client.hset(keys.workers, "other", '{"queues": ["mail"]}')
    kept = {b"waits": "default", b"comes": "default.DQ", b"theirs": "mail", b"parked": "rare"}
    for redis_id, queue in kept.items():
        client.hset(keys.messages(queue), redis_id, b"{}")
    client.hset(keys.parked, "rare", 1)
    notes = [*kept, *(f"gone-{number}" for number in range(1_000))]
    client.hset(keys.held, mapping=dict.fromkeys(notes, '{"mutex": 7}'))
    janitor = Janitor(broker)

    # When it tidies up for a while
    dropped = [janitor.tidy() for _ in range(40)]

    # Then no look has taken many, and what still is to be told has stayed
    assert max(dropped) <= 600
    assert sum(dropped) == 1_000
    assert set(client.hkeys(keys.held)) == set(kept)
