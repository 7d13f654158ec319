"""Row 1: a worker is killed in mid-job."""

import os
import signal
import time

from helpers.faults import Side, require_soon
from helpers.recorders import FINISHED, recording, select, wait_for_rows


def a_worker_is_killed_in_mid_job(side: Side) -> None:
    """The job goes again within a few times the silence after which a worker counts as dead."""
    with side.fleet(processes=2):
        side.send("linger", "job", 1.0)
        first = side.begun("job")
        time.sleep(0.4)
        os.kill(first.pid, signal.SIGKILL)
        again = require_soon(lambda: side.notes("begin", "job")[1:], 10, "the job did not go again")[0]
        assert again.pid != first.pid
        require_soon(lambda: side.notes("end", "job"), 10, "the job did not end")


def test_it_goes_again_within_the_bound_and_its_history_says_why(ours: Side) -> None:
    a_worker_is_killed_in_mid_job(ours)

    with recording(ours.settings):
        (run,) = wait_for_rows(ours.settings, 1, FINISHED)
    assert (run["state"], run["attempt"]) == ("succeeded", 1)
    attempts = select(ours.settings, "SELECT * FROM callboard.run_attempts ORDER BY started_at")
    assert [(one["state"], one["error_type"]) for one in attempts] == [
        ("failed", "WorkerLost"),
        ("succeeded", None),
    ]
    assert attempts[0]["worker"] != attempts[1]["worker"]


def test_plain_dramatiq_leaves_it_to_luck(violated_by_stock) -> None:
    violated_by_stock(a_worker_is_killed_in_mid_job, "did not go again", tries=2)
