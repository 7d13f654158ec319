"""Row 18: arguments, results, log lines and errors of 1 KB, 1 MB and 50 MB."""

import time

import pytest

from callboard.core.limits import MAX_ERROR, MAX_LOG_LINE, MAX_RESULT_BYTES
from helpers.faults import Side, require, require_soon
from helpers.recorders import FINISHED, recording, select, wait_for_rows, wait_until_read

KB, MB = 1_000, 1_000_000
SIZES = [KB, MB, 50 * MB]


def kept(side: Side) -> int:
    """The bytes that Redis keeps in this test's own database."""
    keys = side.client.scan_iter()
    return sum(side.client.memory_usage(key, samples=0) or 0 for key in keys)


def jobs_say_a_lot(side: Side) -> None:
    """They end well, and of all that they said little is kept."""
    with side.fleet(threads=2):
        for size in SIZES:
            for what in ("return", "log", "fail"):
                side.send("large", what, size)
            side.send("large", "argument", 0, "x" * size)
        require_soon(lambda: len(side.notes("end")) == 9, 60, "not all ended well")
        require_soon(lambda: side.left_over() == 0, 20, "something is left in the queue")
    size = kept(side)
    require(size < MB, f"{size / MB:.1f} MB are kept of it in Redis")


@pytest.mark.long
def test_what_they_say_is_cut_visibly_and_read_at_once(ours: Side) -> None:
    jobs_say_a_lot(ours)

    with recording(ours.settings):
        rows = wait_for_rows(ours.settings, 12, FINISHED)
        wait_until_read(ours.settings)
    assert len(rows) == 12
    print(rows[0].keys())


def test_dramatiqs_results_keep_it_all(violated_by_stock) -> None:
    violated_by_stock(jobs_say_a_lot, "MB are kept")
