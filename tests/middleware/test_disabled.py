"""A job that is switched off does not run."""

import json
import threading

import dramatiq

from callboard.core.backoff import fixed
from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, final_event, run_events, wait_until_empty, working


def switch(broker: Broker, job: str, *, on: bool) -> None:
    """Do what the scheduler does when somebody flips the switch of a job."""
    if on:
        broker.client.hdel(broker.keys.control, f"disabled:{job}")
    else:
        broker.client.hset(broker.keys.control, f"disabled:{job}", json.dumps({"reason": "too loud"}))
    broker.client.publish(broker.keys.signals, "control")


def test_runs_of_a_job_that_is_switched_off_are_skipped_with_the_reason(broker: Broker) -> None:
    ran = Calls()

    @dramatiq.actor(max_retries=2)
    def ring() -> None:
        ran.note()

    @dramatiq.actor(max_retries=2)
    def other() -> None:
        pass

    # Given a job switched off before the worker began
    switch(broker, "ring", on=False)
    with working(broker):
        event = final_event(broker, ring.send())
        assert (event["s"], event["why"]) == ("skipped", "disabled: too loud")
        assert "sta" not in event
        wait_until_empty(broker)

        # Then others run
        assert final_event(broker, other.send())["s"] == "succeeded"

        # And it does too, as soon as it is switched on
        switch(broker, "ring", on=True)
        assert broker.switches is not None
        wait_for(lambda: not broker.switches.disabled)
        assert final_event(broker, ring.send())["s"] == "succeeded"
    assert len(ran.made) == 1


def test_a_run_under_way_goes_on_and_its_retry_does_not_start(broker: Broker) -> None:
    release, attempts = threading.Event(), Calls()

    @dramatiq.actor(max_retries=3, backoff=fixed(1))
    def ring() -> None:
        attempts.note()
        release.wait(10)
        raise ConnectionError

    message = ring.send()
    with working(broker):
        attempts.wait_for(1)
        switch(broker, "ring", on=False)
        assert broker.switches is not None
        wait_for(lambda: broker.switches.disabled)
        release.set()
        event = final_event(broker, message)
    states = [event["s"] for event in run_events(broker, message)]
    assert states[-2:] == ["pending", "cancelled"]
    assert event["n"] == 2
    assert len(attempts.made) == 1
