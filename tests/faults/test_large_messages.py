"""Row 18: arguments, results, log lines and errors of 1 KB, 1 MB and 50 MB."""

import time

from callboard.control.context import Context
from callboard.control.reads.runs import run as read_run
from callboard.core.errors import BadInput
from callboard.core.limits import MAX_ERROR, MAX_LOG_LINE
from callboard.middleware.events import encode
from helpers.faults import Side, require, require_soon
from helpers.recorders import FINISHED, recording, select, wait_for_rows, wait_until_read

KB, MB = 1_000, 1_000_000
SIZES = [KB, MB, 50 * MB]


def kept(side: Side) -> int:
    """The bytes that Redis keeps in this test's own database."""
    return sum(side.client.memory_usage(key, samples=0) or 0 for key in side.client.scan_iter())


def jobs_get_and_say_a_lot(side: Side) -> None:
    """They end well, and little of it is kept; what is far too large is refused when it is sent."""
    refused = []
    with side.fleet(threads=2):
        for size in SIZES:
            for what in ("return", "log", "fail"):
                side.send("large", what, size)
            try:
                side.send("large", "argument", 0, "x" * size)
            except BadInput as error:
                refused.append(str(error))
        require_soon(lambda: len(side.notes("end")) == 9 - len(refused), 60, "not all ended well")
        require_soon(lambda: side.left_over() == 0, 60, "something is left in the queue")
    size = kept(side)
    require(size < MB, f"{size / MB:.1f} MB are kept of it in Redis")
    require(len(refused) == 1, "50 MB of arguments were taken")
    assert "at most 16,777,216 are sent; keep the data elsewhere" in refused[0]


def test_it_is_refused_or_cut_visibly_and_read_at_once(ours: Side) -> None:
    jobs_get_and_say_a_lot(ours)

    with recording(ours.settings), Context(ours.settings) as context:
        rows = wait_for_rows(ours.settings, 11, FINISHED)
        wait_until_read(ours.settings)
        begun = time.monotonic()
        details = [read_run(context, row["run_id"]) for row in rows]
        assert time.monotonic() - begun < 10
        assert len(encode({"all": [str(detail) for detail in details]})) < MB

    told = {(row["args"][0], row["args"][1]) if len(row["args"]) > 1 else row["args"][0]: row for row in rows}
    for size in SIZES:
        result, error = told["return", size]["result"], told["fail", size]["error"]
        (line,) = select(
            ours.settings,
            "SELECT message FROM callboard.log_lines WHERE run_id = %s",
            told["log", size]["run_id"],
        )
        if size == KB:
            assert (result, error, line["message"]) == ("x" * KB,) * 3
            continue
        assert result["bytes"] > size
        assert "[cut: " in result["cut"]
        assert len(error) == MAX_ERROR
        assert len(line["message"]) == MAX_LOG_LINE
        assert all(f" of {size} characters]" in text for text in (error, line["message"]))
    assert ("argument", 0) in told
    assert any(str(key).startswith("[cut: a message of 1000") for key in told)


def test_dramatiqs_results_keep_it_all(violated_by_stock) -> None:
    violated_by_stock(jobs_get_and_say_a_lot, "MB are kept")
