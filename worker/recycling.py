"""Has a worker process end in order, before it has grown too old or too large; a fresh one takes its place.

Libraries leak; the memory that they have lost comes back with the end of their process.
"""

from typing import Any

from callboard.core.errors import BadSettings
from callboard.core.memory import resident_bytes
from callboard.middleware.recording import Recording


def check_room(max_memory: int | None) -> None:
    """Refuse a bound that a process exceeds before its first job: it would be renewed for ever.

    Raises:
        BadSettings: it uses as much already.
    """
    used = resident_bytes()
    if max_memory is not None and used >= max_memory:
        raise BadSettings(
            f"A worker process uses {used >> 20} MB before its first job; make --max-memory more than that."
        )


class Recycling:
    """Tells when this process has had its day.

    Parameters:
        max_jobs: attempts after which it ends; None: any number.
        max_memory: bytes of resident memory above which it ends; None: any number.
    """

    def __init__(self, broker: Any, *, max_jobs: int | None, max_memory: int | None) -> None:
        self._recording = Recording.of(broker)
        self._max_jobs = max_jobs
        self._max_memory = max_memory

    @property
    def pause_s(self) -> float:
        """Seconds between two looks."""
        return 0.1 if self._max_jobs or self._max_memory else 1.0

    def reason(self) -> str | None:
        """Why the process is to end, or None."""
        if self._max_jobs and self._recording.ended >= self._max_jobs:
            return f"it has done {self._recording.ended} jobs, of {self._max_jobs} at most"
        if self._max_memory and (used := resident_bytes()) > self._max_memory:
            return f"it uses {used >> 20} MB of memory, of {self._max_memory >> 20} MB at most"
        return None
