"""A process ends with the one that started it, however soon that dies."""

import signal
import subprocess
import sys

import pytest

from callboard.storage.embedded.process import alive
from helpers.waiting import wait_for

CHILD = """
import os, sys, time
from callboard.core.parent import end_with_parent
end_with_parent(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(60)
"""
PARENT = f"""
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {CHILD!r}, str(os.getpid())])
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)

        parent.kill()

        wait_for(lambda: not alive(pid), what="its end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_at_once_where_its_parent_had_died_before_it_could_ask(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    child = CHILD.replace("(int(sys.argv[1]))", f"(int(sys.argv[1]), {int(number)})")

    found = subprocess.run([sys.executable, "-c", child, str(gone.pid)], timeout=30, check=False)

    assert found.returncode == -number
