"""What goes wrong in watching one run leaves the others watched."""

import time

import dramatiq

from callboard.middleware.broker import Broker
from callboard.middleware.execution import Execution
from callboard.middleware.recording import Recording
from helpers.workers import declare, final_event, working


def test_time_limits_hold_although_a_run_cannot_be_shown(broker: Broker) -> None:
    # Given a worker one of whose runs cannot be looked at
    def sleep() -> None:
        for _ in range(500):
            time.sleep(0.01)

    hidden = declare(broker, lambda: time.sleep(0.3), actor_name="hidden")
    slow = declare(broker, sleep, actor_name="slow", time_limit=500, max_retries=0)

    def fail(execution: Execution) -> None:
        if execution.job == "hidden":
            raise RuntimeError("dictionary changed size during iteration")

    with working(broker):
        watch = Recording.of(broker).watch
        assert watch is not None
        watch.checks.insert(0, fail)
        message: dramatiq.Message[None] = hidden.send()
        assert final_event(broker, message)["s"] == "succeeded"

        # Then the time limit of another holds
        event = final_event(broker, slow.send())
    assert event["s"] == "failed"
    assert event["err"][0] == "TimeLimitExceeded"
