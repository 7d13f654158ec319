"""The relay: whatever is in the outbox reaches Redis, once, whatever crashes in between."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from dramatiq import Message

from callboard.scheduler.batch import batch_of_due
from callboard.scheduler.relay import RedisUnavailable, Relay
from callboard.scheduler.timetable import Timetable
from callboard.storage.slots import claim_slots, load_schedules
from helpers.queues import queued
from helpers.schedules import add_schedule, execute, fetch


def claim_without_sending(engine, count=1):
    """What a scheduler leaves behind that dies right after its claim is committed."""
    for number in range(count):
        due = datetime.now(UTC) - timedelta(hours=2)
        add_schedule(engine, f"job-{number}", "0 * * * *", grace_ms=10**9, checked_until=due)
    table = Timetable()
    now = datetime.now(UTC)
    with engine.begin() as connection:
        table.replace(load_schedules(connection))
        batch = batch_of_due(table.due(now), now)
        return batch, claim_slots(connection, batch.proposal)


def age_outbox(engine):
    execute(engine, "UPDATE callboard.outbox SET created_at = created_at - interval '2 seconds'")


def outbox_count(engine):
    return fetch(engine, "SELECT count(*) FROM callboard.outbox")[0]


def test_after_a_crash_between_commit_and_send_another_relay_sends(engine, broker, relay):
    _, claimed = claim_without_sending(engine)
    assert relay.send() == 0, "the first second belongs to whoever claimed it"
    age_outbox(engine)
    assert relay.send() == len(claimed.run_ids) == 2
    assert {message.message_id for message in queued(broker)} == {str(run_id) for run_id in claimed.run_ids}
    assert outbox_count(engine) == 0
    assert fetch(engine, "SELECT state FROM callboard.runs") == ["pending", "pending"]


def test_after_a_crash_between_send_and_mark_nothing_is_sent_again(engine, broker, relay):
    batch, claimed = claim_without_sending(engine)
    broker.put_packed(batch.packed(claimed.run_ids, relay.pack))
    age_outbox(engine)
    assert relay.send() == 2
    assert len(queued(broker)) == 2
    assert outbox_count(engine) == 0
    assert fetch(engine, "SELECT count(*) FROM callboard.runs") == [2]


def test_a_repaired_run_is_the_same_as_one_that_was_sent_directly(engine, broker, relay):
    # The two differ in nothing that a worker or the recorder could see.
    batch, claimed = claim_without_sending(engine)
    age_outbox(engine)
    relay.send()
    repaired = {message.message_id: message for message in queued(broker)}
    for run_id in claimed.run_ids:
        direct = batch.messages[run_id].asdict()
        sent = repaired[str(run_id)].asdict()
        sent["options"].pop("redis_message_id")
        assert sent == direct


def test_of_several_relays_at_once_each_message_is_sent_by_one(engine, broker, redis_url, namespace):
    _, claimed = claim_without_sending(engine, 40)
    age_outbox(engine)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: Relay(engine, broker).send(25), range(8)))
    assert sum(counts) == len(claimed.run_ids) == 80
    assert len({message.message_id for message in queued(broker)}) == len(queued(broker)) == 80


def test_without_redis_the_messages_stay_and_say_why(engine, redis_url, namespace, broker):
    from callboard.middleware.broker import Broker

    claim_without_sending(engine)
    age_outbox(engine)
    nowhere = Broker(url="unix:///nowhere/at/all.sock", namespace=namespace)
    with pytest.raises(RedisUnavailable, match="they are kept in the outbox"):
        Relay(engine, nowhere).send()
    nowhere.close()
    assert (
        fetch(engine, "SELECT attempts, last_error LIKE '%nowhere%' FROM callboard.outbox") == [(1, True)] * 2
    )
    assert Relay(engine, broker).send() == 2
    assert len(queued(broker)) == 2


def test_a_redis_out_of_memory_refuses_loudly_and_the_outbox_keeps_it(engine, broker, relay, redis_client):
    claim_without_sending(engine)
    age_outbox(engine)
    redis_client.config_set("maxmemory", "1")
    try:
        with pytest.raises(RedisUnavailable, match="maxmemory"):
            relay.send()
    finally:
        redis_client.config_set("maxmemory", "0")
    assert outbox_count(engine) == 2
    assert queued(broker) == []
    assert relay.send() == 2
    assert len(queued(broker)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "message - 'actor_name'",
        "'[]'::jsonb",
        "jsonb_set(message, '{args}', '\"text\"')",
        "jsonb_set(message, '{message_timestamp}', '\"soon\"')",
        "jsonb_set(message, '{options,retries}', '\"many\"')",
        "jsonb_set(message, '{options,retries}', 'true')",
        "jsonb_set(message, '{options,retries}', '1000000000000')",
        "jsonb_set(message, '{message_timestamp}', '100000000000000000')",
        "jsonb_set(message, '{options,due_at}', '-1')",
        "jsonb_set(message, '{args}', jsonb_build_array(repeat('x', 16777216)))",
    ],
)
def test_a_row_that_holds_no_message_ends_as_dead_and_holds_up_no_other(engine, broker, relay, damage):
    claim_without_sending(engine)
    age_outbox(engine)
    execute(
        engine,
        f"UPDATE callboard.outbox SET message = {damage} WHERE id = (SELECT min(id) FROM callboard.outbox)",
    )
    assert relay.send() == 2
    assert len(queued(broker)) == 1
    assert outbox_count(engine) == 0
    assert sorted(fetch(engine, "SELECT state FROM callboard.runs")) == ["dead", "pending"]
    (reason,) = fetch(engine, "SELECT reason FROM callboard.runs WHERE state = 'dead'")
    assert reason.startswith("its outbox row holds no message: ")


def test_a_delay_within_the_message_cannot_stop_the_outbox(engine, broker, relay):
    # Dramatiq refuses delays of more than a week; the outbox has a column of its own for delays.
    claim_without_sending(engine)
    age_outbox(engine)
    far = int((time.time() + 30 * 86_400) * 1000)
    execute(engine, f"UPDATE callboard.outbox SET message = jsonb_set(message, '{{options,eta}}', '{far}')")
    assert relay.send() == 2
    assert len(queued(broker)) == 2


def test_only_the_runs_named_are_sent(engine, broker, relay):
    _, claimed = claim_without_sending(engine)
    wanted = next(iter(claimed.run_ids))
    assert relay.send(run_ids=[wanted]) == 1
    (message,) = queued(broker)
    assert isinstance(message, Message)
    assert message.message_id == str(wanted)
    assert outbox_count(engine) == 1


def test_a_long_outbox_is_sent_in_pieces(engine, broker, relay):
    claim_without_sending(engine, 30)
    age_outbox(engine)
    assert [relay.send(25), relay.send(25), relay.send(25), relay.send(25)] == [25, 25, 10, 0]
