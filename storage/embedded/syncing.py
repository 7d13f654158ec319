"""Bringing Valkey's append-only file to the disk, once a second."""

import os
import threading
from pathlib import Path

#: How long (s) what was written may be in the kernel's hands alone: what a loss of power can cost.
INTERVAL_S = 1.0


class DiskSync:
    """A thread that syncs the append-only file of one Valkey for as long as it is wanted (ADR 0012)."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._run, name="valkey-sync", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; a sync that is under way is waited for."""
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None

    def written(self) -> Path | None:
        """The file that Valkey appends to just now, or None before its first one."""
        files = self.place.glob("*.incr.aof")
        return max(files, key=lambda file: int(file.name.split(".")[-3]), default=None)

    def sync(self) -> None:
        """Return once all that has been appended is on the disk."""
        file = self.written()
        if file is None:
            return
        try:
            opened = os.open(file, os.O_WRONLY)
        except FileNotFoundError:  # rewritten in this moment: a rewrite is synced by Valkey
            return
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            try:
                self.sync()
            except OSError:
                # Valkey writes to the same disk, and says in its log what is wrong with it.
                continue
