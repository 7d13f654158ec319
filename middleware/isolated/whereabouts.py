"""Where a process is, or was when it died, though no exception tells.

The interpreter's fault handler writes the stack into a file of the process at a crash, when it is asked to
end, and when somebody asks where it is: it needs no lock for that, and works in the middle of a call into C.
"""

import faulthandler
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from callboard.middleware.isolated.raised import Frame

#: The signal that asks. Where nobody listens to it, as in what the job has started, it does nothing.
SIGNAL = signal.SIGURG

#: The file of the function that runs the job: what it and those before it do is of no interest.
RUNS = str(Path(__file__).with_name("child.py"))

#: Seconds to wait for what a process that is asked writes, and between two looks: two in a row that find the
#: same have found all of it.
PATIENCE, STEP = 0.6, 0.02

#: The most bytes that are read of the file.
MOST = 16_384

_HEAD = "(most recent call first):"
_LINE = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.+)')


class Whereabouts:
    """The worker's end: a file that has no name, whose descriptor is handed on to the process."""

    def __init__(self) -> None:
        self.file = _open()
        self._lock = threading.Lock()
        self._open = True

    def look(self, ask: Callable[[], None]) -> list[tuple[str, int, str]]:
        """Ask where the process is, and wait for what it writes: the outermost frame first, or nothing."""
        with self._lock:
            if not self._open:
                return []
            # It may be closed, and its number be another file's, while this waits.
            file = os.dup(self.file)
        try:
            before = known = os.fstat(file).st_size
            ask()
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                time.sleep(STEP)
                size = os.fstat(file).st_size
                if before < known == size:
                    break
                known = size
            else:
                return []
            return [frame[:3] for frame in frames_of(read_whereabouts(file), until=RUNS)]
        finally:
            os.close(file)

    def close(self) -> None:
        """Close the file; the process may have it open still."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def watch_whereabouts(file: int) -> None:
    """In the process: have its stack written at a crash, when asked, and at SIGTERM before all else."""
    faulthandler.enable(file=file, all_threads=False)
    faulthandler.register(SIGNAL, file=file, all_threads=False)
    faulthandler.register(signal.SIGTERM, file=file, all_threads=False, chain=True)


def _open() -> int:
    if sys.platform.startswith("linux"):
        return os.memfd_create("callboard-whereabouts")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def read_whereabouts(file: int) -> bytes:
    """What was written last, if anything."""
    size = os.fstat(file).st_size
    return os.pread(file, MOST, max(0, size - MOST))


def frames_of(written: bytes, until: str) -> list[Frame]:
    """The last stack that was written, its outermost frame first, without those from the file `until` on."""
    last: list[Frame] = []
    stack: list[Frame] = []
    for line in written.decode("utf-8", "replace").splitlines():
        if line.endswith(_HEAD):
            stack = []
        elif match := _LINE.fullmatch(line):
            last = stack
            stack.append(Frame(match["file"], int(match["line"]), match["function"], ""))
    files = [frame.file for frame in last]
    return last[: files.index(until) if until in files else None][::-1]
