"""One supervised process: how it ends, when it starts again, and that nothing of it is left."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from callboard.control.supervisor.part import RESTART_DELAYS, Part, Plan
from callboard.storage.embedded.process import alive
from helpers.waiting import wait_for

Make = Callable[..., Part]


@pytest.fixture
def shown() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def make(tmp_path: Path, shown: list[tuple[str, str]]) -> Iterator[Make]:
    made: list[Part] = []

    def make(program: str, **environment: str) -> Part:
        plan = Plan("part", (sys.executable, "-c", program))
        part = Part(
            plan,
            environment={"PATH": os.environ["PATH"], **environment},
            logs=tmp_path,
            show=lambda name, line: shown.append((name, line)),
        )
        made.append(part)
        part.start()
        return part

    yield make
    for part in made:
        part.sweep()


def _ending(part: Part) -> str:
    return wait_for(part.reap, what="the end")  # type: ignore[return-value]


def test_a_running_part_has_not_ended(make: Make) -> None:
    part = make("import time; time.sleep(60)")
    assert part.reap() is None
    assert not part.ended
    assert not part.due


def test_how_it_ended_is_told_with_its_last_words(make: Make) -> None:
    part = make("import sys; print('about to fail', flush=True); sys.exit('no such table.')")
    assert _ending(part) == "ended with code 1: no such table"


def test_the_reason_in_a_log_line_is_its_last_words(make: Make) -> None:
    line = json.dumps({"event": "the worker cannot begin", "reason": "The module x is missing."})
    assert _ending(make(f"import sys; sys.exit({line!r})")) == "ended with code 1: The module x is missing"


def test_an_exception_in_a_log_line_is_its_last_words(make: Make) -> None:
    line = json.dumps({"event": "Uncaught exception.", "exception": "Traceback:\n  ...\nKeyError: 'x'"})
    assert _ending(make(f"import sys; sys.exit({line!r})")) == "ended with code 1: KeyError: 'x'"


def test_a_signal_that_ended_it_is_told_by_name(make: Make) -> None:
    assert _ending(make("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")) == "was ended by SIGKILL"


def test_it_waits_longer_each_time_it_dies_soon_and_never_longer_than_the_longest(make: Make) -> None:
    part = make("pass")
    delays = []
    for _ in range(len(RESTART_DELAYS) + 2):
        _ending(part)
        delays.append(part.restart_delay_s)
        part.start()
    assert delays == [*RESTART_DELAYS, RESTART_DELAYS[-1], RESTART_DELAYS[-1]]


def test_it_is_due_again_only_after_its_delay(make: Make) -> None:
    part = make("pass")
    _ending(part)
    before = time.monotonic()
    assert not part.due
    wait_for(lambda: part.due, what="the time to start again")
    assert time.monotonic() - before > RESTART_DELAYS[0] / 2


def test_its_lines_are_shown_and_logged_as_json(
    make: Make, shown: list[tuple[str, str]], tmp_path: Path
) -> None:
    part = make("print('plain'); print('{\"event\": \"told\"}'); print(); print('ünï')")
    _ending(part)
    assert shown == [("part", "plain"), ("part", '{"event": "told"}'), ("part", "ünï")]
    logged = [json.loads(line) for line in (tmp_path / "part.log").read_text().splitlines()]
    assert [each["event"] for each in logged] == ["plain", "told", "ünï"]


def test_bytes_that_are_no_text_do_not_stop_the_log(make: Make, tmp_path: Path) -> None:
    part = make("import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\nafter\\n')")
    _ending(part)
    assert "after" in (tmp_path / "part.log").read_text()


def test_sweeping_kills_what_the_part_started_too(make: Make, tmp_path: Path) -> None:
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    part = make(
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    wait_for(lambda: (tmp_path / "part.log").exists(), what="the child's id")
    pids = [psutil.Process(part.pid).children()[0].pid, part.pid]
    assert part.sweep()
    wait_for(lambda: not any(alive(pid) for pid in pids if pid), what="the end of both")


def test_sweeping_what_has_ended_in_order_kills_nothing(make: Make) -> None:
    part = make("pass")
    wait_for(lambda: part.ended, what="the end")
    assert not part.sweep()


def test_a_part_leads_a_session_of_its_own_that_ctrl_c_does_not_reach(make: Make) -> None:
    part = make("import time; time.sleep(60)")
    assert part.pid is not None
    assert os.getsid(part.pid) == part.pid
