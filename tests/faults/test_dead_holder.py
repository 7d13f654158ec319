"""Row 22: the holder of a mutex dies."""

import os
import signal

from helpers.faults import Side, require_soon


def the_holder_of_a_mutex_is_killed(side: Side) -> None:
    """The mutex is free within its lease, though its holder does not yet count as dead."""
    with side.fleet(processes=2):
        side.send("guarded", "first", 30.0)
        holder = side.begun("first")
        os.kill(holder.pid, signal.SIGKILL)
        side.send("guarded", "second", 0.1)
        require_soon(
            lambda: side.notes("end", "second"), side.scale.lease / 1000 + 6, "the mutex is not free"
        )


def test_the_mutex_is_free_within_its_lease(ours_at) -> None:
    the_holder_of_a_mutex_is_killed(ours_at(heartbeat=30_000))


def test_a_stock_limiter_is_taken_for_as_long_as_a_job_might_last(violated_by_stock) -> None:
    # Nobody renews it, so that its lease must be longer than the time limit of the job.
    violated_by_stock(the_holder_of_a_mutex_is_killed, "the mutex is not free", heartbeat=30_000)
