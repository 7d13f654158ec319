"""One instance to a home: a lock held by whoever started it and by every process that it hands it to.

The lock is a `flock`, which belongs to the open file and not to the process: it stays taken until the
last process that inherited it has ended. A server that outlives its owner for a moment thus keeps a
second server off its files.
"""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

import psutil

from callboard.core.errors import Conflict, Unavailable
from callboard.core.instance import LOCK
from callboard.storage.embedded.process import alive

#: How long the processes of an owner that has died may take to end, in seconds.
PATIENCE = 20.0


class HomeLock:
    """The lock of one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / LOCK
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process holds the lock."""
        return self._fd is not None

    @property
    def fd(self) -> int:
        """The descriptor that a child process must inherit to hold the lock too."""
        if self._fd is None:
            raise RuntimeError("The lock is not held.")
        return self._fd

    def acquire(self, patience: float = PATIENCE) -> None:
        """Take the lock; wait for processes of a dead owner to end, and never for a living one.

        Raises:
            Conflict: another process holds this home.
            Unavailable: the folder cannot be written.
        """
        fd = self._open()
        deadline = time.monotonic() + patience
        while not self._try(fd):
            owner, servers = self._holder()
            if (owner and alive(owner)) or time.monotonic() > deadline:
                os.close(fd)
                raise Conflict(_refusal(self.home, owner))
            # On Linux the kernel has told them already; elsewhere they do not know that the owner died.
            _stop_strays(servers)
            time.sleep(0.05)
        os.set_inheritable(fd, False)
        self._fd = fd
        self.note([])

    def note(self, servers: list[int]) -> None:
        """Write down who holds the lock and the process ids of its servers, for the next one to read."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, json.dumps({"pid": os.getpid(), "servers": servers}).encode(), 0)

    def release(self) -> None:
        """Give the lock up; it is free once every process that inherited it has ended."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> int:
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The folder {self.home} cannot be used ({error.strerror}): "
                "make it writable for this user, or set CALLBOARD_HOME to another folder."
            ) from None

    @staticmethod
    def _try(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> tuple[int | None, list[int]]:
        try:
            note = json.loads(self.path.read_text(encoding="utf-8"))
            return int(note["pid"]), [int(pid) for pid in note["servers"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None, []


def _refusal(home: Path, owner: int | None) -> str:
    who = f"process {owner}" if owner else "another process"
    if owner and not alive(owner):
        return (
            f"What an earlier Callboard ({who}, which has died) had started in {home} is still ending: "
            "wait a moment and try again."
        )
    return (
        f"Callboard is already running in {home} ({who}): stop that one first, "
        "or set CALLBOARD_HOME to another folder."
    )


def _stop_strays(servers: list[int]) -> None:
    for pid in servers:
        try:
            name = psutil.Process(pid).name()
            if name.startswith("postgres"):
                os.kill(pid, signal.SIGINT)
            elif name.startswith("valkey"):
                os.kill(pid, signal.SIGTERM)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
