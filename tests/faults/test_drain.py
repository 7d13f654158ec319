"""Row 4: a worker is told to end in mid-job, and the job needs longer than the grace."""

import pytest

from helpers.faults import Side, require, require_soon
from helpers.workers import run_events


def a_worker_is_told_to_end_in_mid_job(side: Side, actor: str = "linger") -> None:
    """The job goes back to the queue at once, to be begun elsewhere, in the same attempt."""
    with side.fleet(grace_s=0.5) as (ending,):
        # Longer than it takes the other worker to begin, on a busy machine too.
        side.send(actor, "job", 8.0)
        side.begun("job")
        with side.fleet():
            ending.terminate()
            again = require_soon(
                lambda: side.notes("begin", "job")[1:] or side.dead_letters(), 6, "the job was not requeued"
            )
            require(not side.dead_letters(), "the job went to the dead letters")
            require(again[0].attempt == 1, "it counted as a failure")
            require_soon(lambda: side.notes("end", "job"), 30, "the job did not end")
            require_soon(lambda: side.left_over() == 0, 5, "something of it is left in the queue")


@pytest.mark.parametrize("actor", ["linger", "noticing"])
def test_it_is_requeued_and_no_failure(ours: Side, actor: str) -> None:
    a_worker_is_told_to_end_in_mid_job(ours, actor)

    (run_id,) = {event["id"] for event in ours.events("run")}
    ends = [(event["s"], event["n"]) for event in run_events(ours.broker, run_id) if "fin" in event]
    assert ends == [("succeeded", 1)]


def test_plain_dramatiq_leaves_it_to_luck(violated_by_stock) -> None:
    violated_by_stock(a_worker_is_told_to_end_in_mid_job, "was not requeued", tries=2)


def test_plain_dramatiq_fails_a_job_that_asks_to_be_told(violated_by_stock) -> None:
    violated_by_stock(
        lambda side: a_worker_is_told_to_end_in_mid_job(side, "noticing"), "went to the dead letters"
    )
