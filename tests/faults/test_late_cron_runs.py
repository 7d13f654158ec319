"""Row 19: the retry of a cron run that is late."""

import time

from helpers.faults import Side, require, require_soon


def the_retry_of_a_cron_run_comes_late(side: Side) -> None:
    """It is tried again all the same, and then goes to the dead letters."""
    now = time.time()
    due = {"due_at": int(now * 1000), "trigger": "schedule", "schedule_id": 1}
    scheduled = {"scheduled_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}
    with side.fleet():
        # As its scheduler sends it.
        side.send("failing", **(due if side.ours else scheduled))
        side.begun("failing")
        require_soon(lambda: side.left_over() == 0, 15, "it did not come to an end")
    attempts = [note.attempt for note in side.notes("begin", "failing")]
    require(attempts == [1, 2], f"its attempts were {attempts}")
    require(len(side.dead_letters()) == 1, "it is not among the dead letters")


def test_it_is_tried_again_and_then_dead_lettered(ours: Side) -> None:
    the_retry_of_a_cron_run_comes_late(ours)

    (final,) = [event for event in ours.events("run") if "dl" in event]
    assert (final["s"], final["n"], final["err"][:2]) == ("failed", 2, ["ConnectionError", "failing"])
    assert isinstance(final["due"], int)


def test_stock_periodiq_drops_it_without_a_trace(violated_by_stock) -> None:
    violated_by_stock(the_retry_of_a_cron_run_comes_late, r"its attempts were \[1\]")
