"""What becomes of a run that finds its mutex taken is what its job declares."""

import threading
import time

import dramatiq

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, final_event, final_events, linger, wait_until_empty, working


def test_with_buffer_one_a_single_run_waits_and_the_others_are_skipped(broker: Broker) -> None:
    # Given a run that holds its mutex, and five that come meanwhile
    release, ran = threading.Event(), Calls()

    @dramatiq.actor(max_retries=0, mutex=True, overlap="buffer_one")
    def work(number: int) -> None:
        ran.note(number)
        release.wait(10)

    work.send(0)
    with working(broker, threads=4):
        ran.wait_for(1)
        for number in range(1, 6):
            work.send(number)
        wait_for(lambda: len(final_events(broker, 4)) == 4)
        release.set()
        found = final_events(broker, 6)
        wait_until_empty(broker)

        # Then when it is over, one of them runs; and so the next time
        assert len(ran.made) == 2
        skipped = [event["why"] for event in found if event["s"] == "skipped"]
        assert skipped == ["overlap: the job is already running, and another run waits for its end"] * 4
        final_event(broker, work.send(6))
    assert len(ran.made) == 3


def test_a_buffered_run_that_is_cancelled_makes_room_for_another(broker: Broker) -> None:
    import json

    release, ran = threading.Event(), Calls()

    @dramatiq.actor(max_retries=0, mutex=True, overlap="buffer_one")
    def work(number: int) -> None:
        ran.note(number)
        release.wait(10)

    work.send(0)
    with working(broker, threads=4):
        ran.wait_for(1)
        buffered = work.send(1)
        wait_for(lambda: broker.client.llen(broker.keys.lot("mutex|work")) == 1)
        broker.client.hset(broker.keys.ended, buffered.message_id, json.dumps({"state": "cancelled"}))
        broker.client.publish(broker.keys.signals, "end it")
        wait_for(lambda: broker.switches is not None and buffered.message_id in broker.switches.ended)
        release.set()
        assert final_event(broker, buffered)["s"] == "cancelled"
        assert final_event(broker, work.send(2))["s"] == "succeeded"
    assert ran.made == [0, 2]


def test_with_cancel_running_the_latest_run_takes_the_place_of_all_before_it(broker: Broker) -> None:
    # Given a long run, and three that come one after the other
    ran = Calls()

    @dramatiq.actor(max_retries=3, mutex=True, overlap="cancel_running")
    def work(number: int) -> None:
        ran.note(number)
        if number < 3:
            linger(10)

    with working(broker, threads=4):
        first = work.send(0)
        ran.wait_for(1)
        begun = time.monotonic()
        others = []
        for number in range(1, 4):
            others.append(work.send(number))
            # Which is the latest is told by when they were sent.
            time.sleep(0.01)
        event = final_event(broker, others[-1])

        # Then the last one has run long before the others would have ended: cancelled, or never begun
        assert event["s"] == "succeeded"
        assert time.monotonic() - begun < 9
        ended = [final_event(broker, message) for message in (first, *others[:-1])]
        wait_until_empty(broker)
    assert ended[0]["s"] == "cancelled"
    assert ended[0]["why"] == "overlap: a later run has taken its place"
    assert {event["s"] for event in ended} <= {"cancelled", "skipped"}
    assert ran.made[-1] == 3


def test_with_wait_as_many_as_there_are_go_one_after_the_other(broker: Broker) -> None:
    ran = Calls()

    @dramatiq.actor(max_retries=0, mutex=True, overlap="wait")
    def work(number: int) -> None:
        ran.note(number)
        time.sleep(0.01)

    broker.enqueue_many(work.message(number) for number in range(60))
    with working(broker, threads=8):
        begun = time.monotonic()
        final_events(broker, 60)
    # Each is woken by the end of the one before it, and not by the clock.
    assert time.monotonic() - begun < 5
    assert sorted(ran.made) == list(range(60))
