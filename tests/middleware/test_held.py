"""What holds a run back is known of it when it begins, and for how long."""

import json
import time
from typing import Any

import pytest

from callboard.middleware.broker import Broker
from callboard.middleware.execution import now_ms
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, final_event, final_events, wait_until_empty, working


def switch(broker: Broker, field: str, on: bool) -> None:
    """What the scheduler does when a pause begins or ends."""
    if on:
        broker.client.hset(broker.keys.control, field, json.dumps({"reason": "tea", "at": now_ms()}))
    else:
        broker.client.hdel(broker.keys.control, field)
    broker.client.publish(broker.keys.signals, "control")


def nap(*_: object) -> None:
    time.sleep(0.3)


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"mutex": True, "overlap": "wait"}, "mutex"),
        ({"mutex": True, "overlap": "buffer_one"}, "overlap"),
        ({"limit": {"concurrent": 1}}, "limit"),
    ],
)
def test_a_run_that_waited_for_another_says_for_how_long(
    broker: Broker, options: dict[str, Any], cause: str
) -> None:
    actor = declare(broker, nap, actor_name="work", max_retries=0, **options)
    with working(broker):
        first, second = actor.send(), actor.send()
        found = [final_event(broker, each) for each in (first, second)]
        wait_until_empty(broker)

    # Then the one that had to wait tells so, the other has nothing to tell, and nothing is kept of it
    free, held = sorted(found, key=lambda event: event["sta"])
    assert "hld" not in free
    assert set(held["hld"]) == {cause}
    assert 150 <= held["hld"][cause] <= held["sta"] - held["at"] + 5
    assert broker.client.exists(broker.keys.held) == 0


@pytest.mark.parametrize("field", ["paused:job:work", "paused:queue:default", "paused:all:"])
def test_a_run_that_a_pause_held_back_says_for_how_long(broker: Broker, field: str) -> None:
    ran = Calls()
    actor = declare(broker, ran.note, actor_name="work", max_retries=0)
    with working(broker):
        switch(broker, field, on=True)
        wait_for(lambda: broker.switches is not None and _paused(broker, field), 2, "the pause")
        time.sleep(0.2)
        sent = actor.send()
        time.sleep(0.5)
        switch(broker, field, on=False)
        event = final_event(broker, sent)
        later = final_event(broker, actor.send())

    assert 250 <= event["hld"]["pause"] <= event["sta"] - event["at"] + 5
    assert set(event["hld"]) == {"pause"}
    assert "hld" not in later


def _paused(broker: Broker, field: str) -> bool:
    assert broker.switches is not None
    return "work" in broker.switches.paused_jobs if "job" in field else broker.is_paused("default")


def test_what_held_a_run_back_one_after_the_other_is_told_apart(broker: Broker) -> None:
    # Given a run that waits for the mutex of another, and by the time that it is free, for the end of a pause
    actor = declare(broker, nap, actor_name="work", max_retries=0, mutex="one", overlap="wait")
    with working(broker):
        actor.send()
        actor.send()
        wait_for(lambda: broker.client.llen(broker.keys.lot("mutex|one")), 2, "the wait")
        switch(broker, "paused:job:work", on=True)
        wait_for(lambda: broker.client.llen(broker.keys.lot("pause|job:work")), 3, "the pause")
        time.sleep(0.2)
        switch(broker, "paused:job:work", on=False)
        found = final_events(broker, 2)

    (held,) = [event["hld"] for event in found if "hld" in event]
    assert set(held) == {"mutex", "pause"}
    assert all(ms >= 100 for ms in held.values())


def test_what_an_older_worker_parked_or_left_behind_harms_nobody(broker: Broker) -> None:
    ran = Calls()
    actor = declare(broker, ran.note, actor_name="work", max_retries=0)
    sent: list[Any] = [actor.message() for _ in range(3)]
    notes = ["nonsense", "[1]", '{"mutex": 7, "at": 5, "cause": "tea"}']
    for message, note in zip(sent, notes, strict=True):
        packet = broker.enqueue(message)
        broker.client.hset(broker.keys.held, packet.options["redis_message_id"], note)
    with working(broker):
        found = final_events(broker, 3)

    assert sorted(str(event.get("hld")) for event in found) == ["None", "None", "{'mutex': 7}"]
