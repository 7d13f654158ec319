"""Where a process was when it died, though no exception tells.

The interpreter's fault handler writes the stack into a file of the process at a crash, and when it is asked
to end: it needs no lock for that, and works in the middle of a call into C.
"""

import faulthandler
import os
import re
import signal
import sys
import tempfile

from callboard.middleware.isolated.raised import Frame

#: The most bytes that are read of the file.
MOST = 16_384

_HEAD = "(most recent call first):"
_LINE = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.+)')


def open_whereabouts() -> int:
    """A file that has no name; the descriptor is handed on by a fork."""
    if sys.platform.startswith("linux"):
        return os.memfd_create("callboard-whereabouts")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def watch_whereabouts(file: int) -> None:
    """In the process: have its stack written at a crash, and at SIGTERM before what else that does."""
    faulthandler.enable(file=file, all_threads=False)
    faulthandler.register(signal.SIGTERM, file=file, all_threads=False, chain=True)


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
