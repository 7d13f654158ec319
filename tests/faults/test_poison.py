"""Row 2: a job that kills its own process, every time."""

from callboard.core.states import RunState
from helpers.faults import Side, require, require_soon
from helpers.workers import final_event


def a_job_kills_its_process_every_time(side: Side) -> None:
    """It is begun three times at most, ends in the dead letters, and the others go on."""
    with side.fleet():
        side.send("deadly")
        side.begun("deadly")
        for number in range(10):
            side.send("tick", number)
        require_soon(lambda: len(side.notes("tick")) == 10, 30, "the other jobs did not go on")

        def settled() -> bool:
            times = len(side.notes("begin", "deadly"))
            require(times <= 3, f"it was begun {times} times")
            return bool(side.dead_letters())

        require_soon(settled, 90, "it did not go to the dead letters")
        side.send("tick", 10)
        require_soon(lambda: len(side.notes("tick")) == 11, 20, "its worker did not come back")
        require_soon(lambda: side.left_over() == 0, 5, "something is left in the queue")


def test_it_is_quarantined_after_three_times_with_the_reason(ours: Side) -> None:
    a_job_kills_its_process_every_time(ours)

    assert len(ours.notes("begin", "deadly")) == 3
    (letter,) = ours.dead_letters()
    event = final_event(ours.broker, ours.decode(letter))
    assert event["s"] == RunState.DEAD
    assert event["why"] == "poison: the worker died each of the 3 times that it was begun"


def test_plain_dramatiq_begins_it_for_ever_where_it_has_the_luck_to_rescue_it(violated_by_stock) -> None:
    violated_by_stock(
        a_job_kills_its_process_every_time, "it was begun 4 times", luck=1_000_000, heartbeat=500
    )
