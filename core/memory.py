"""The memory of this process."""

import os
from pathlib import Path
from typing import Literal, NamedTuple

_ROLLUP = Path("/proc/self/smaps_rollup")
_STATM = Path("/proc/self/statm")


class Memory(NamedTuple):
    """Bytes of memory, and how they were counted.

    `pss` shares what several processes use among them, so that sums mean something; `rss` counts it in each.
    """

    size: int
    kind: Literal["pss", "rss"]


def own_memory() -> Memory:
    """What this process has in use: its proportional set size where the system tells it."""
    try:
        with _ROLLUP.open("rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return Memory(int(line.split()[1]) * 1024, "pss")
    except (OSError, ValueError):
        pass
    return Memory(resident_bytes(), "rss")


def resident_bytes() -> int:
    """The memory that this process has in use (its resident set)."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import psutil

        return int(psutil.Process().memory_info().rss)
