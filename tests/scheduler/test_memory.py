"""A Redis that has lost everything gets back what PostgreSQL knows to be pending."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from callboard.scheduler.memory import Memory
from helpers.queues import queued
from helpers.schedules import add_schedule, execute, fetch
from helpers.waiting import wait_for


@pytest.fixture
def memory(engine, redis_client, broker):
    return Memory(engine, redis_client, broker.keys)


@pytest.fixture
def sent(engine, scheduler):
    """Two slots that were sent to Redis and have not been executed."""
    since = datetime.now(UTC) - timedelta(hours=2)
    add_schedule(engine, "report", "0 * * * *", misfire="run_all", checked_until=since)
    scheduler.schedule()
    runs = fetch(engine, "SELECT run_id FROM callboard.runs")
    assert len(runs) == 2
    return runs


def test_the_first_look_remembers_and_replays_nothing(engine, memory, sent):
    assert memory.check() is None
    assert memory.check() is None
    assert fetch(engine, "SELECT count(*) FROM callboard.outbox") == [0]


def test_what_a_redis_without_persistence_has_lost_is_sent_again(
    engine, redis_client, broker, memory, relay, sent
):
    memory.check()
    before = {message.message_id: message.asdict() for message in queued(broker)}
    redis_client.flushdb()
    assert memory.check() == 2
    relay.send(run_ids=sent)
    after = {message.message_id: message.asdict() for message in queued(broker)}
    for message in (*before.values(), *after.values()):
        message["options"].pop("redis_message_id")
    assert after == before
    assert memory.check() is None


def test_what_has_been_executed_is_not_sent_again(engine, redis_client, memory, sent):
    memory.check()
    execute(engine, "UPDATE callboard.runs SET state = 'succeeded', rank = 19 WHERE run_id = :id", id=sent[0])
    redis_client.flushdb()
    assert memory.check() == 1


def test_a_message_that_reached_the_new_redis_first_is_not_doubled(
    engine, redis_client, broker, memory, relay, scheduler, sent
):
    memory.check()
    redis_client.flushdb()
    # Before anybody notices, another slot is claimed and sent.
    since = datetime.now(UTC) - timedelta(hours=1)
    add_schedule(engine, "late", "*/59 * * * *", misfire="run_all", checked_until=since)
    scheduler.changed()
    scheduler.schedule()
    fresh = {message.message_id for message in queued(broker)}
    assert fresh
    memory.check()
    relay.send(run_ids=fetch(engine, "SELECT run_id FROM callboard.outbox"))
    ids = [message.message_id for message in queued(broker)]
    assert len(ids) == len(set(ids)) == len(fresh) + 2


def test_of_several_schedulers_one_replays(engine, redis_client, broker, sent):
    memories = [Memory(engine, redis_client, broker.keys) for _ in range(4)]
    for one in memories:
        one.check()
    redis_client.flushdb()
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda one: one.check(), memories))
    assert [count for count in counts if count is not None] == [2]
    assert [one.check() for one in memories] == [None] * 4


def test_a_scheduler_that_starts_after_the_loss_notices_it(engine, redis_client, broker, memory, sent):
    memory.check()
    redis_client.flushdb()
    assert Memory(engine, redis_client, broker.keys).check() == 2


def test_a_running_scheduler_notices_by_itself(engine, redis_client, broker, sent, start_scheduler):
    start_scheduler()
    wait_for(lambda: redis_client.exists(broker.keys.memory))
    redis_client.flushdb()
    wait_for(lambda: len(queued(broker)) == 2, what="the lost messages")
