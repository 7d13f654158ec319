"""One server process: started so that it cannot outlive its owner, and ended with bounded patience."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import psutil

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account

_PR_SET_PDEATHSIG = 1
#: A log of more bytes than this is put aside, over the previous one.
MAX_LOG_BYTES = 10_000_000
#: What PostgreSQL and Valkey write before the message: the time, the process, the level.
_PREFIX = re.compile(r"^(\d\S* \S+ \S+ \[\d+\] .*?[A-Z]+:  |\d+:\w \d+ \w+ \d+ \S+ \S )")


class ServerProcess:
    """A server's process and its log.

    The kernel sends `stop_signal` when the *thread* that started the process ends, so that thread must be
    the main one.
    """

    def __init__(self, name: str, log: Path, stop_signal: signal.Signals) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._popen.pid if self._popen else None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._popen is not None and self._popen.poll() is None

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        account: Account,
        lock_fd: int,
        environment: dict[str, str],
        folder: Path,
    ) -> None:
        """Start the program in that folder, in a session of its own so that Ctrl-C does not reach it.

        Raises:
            Unavailable: the program cannot be started.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{self.name} must be started from the main thread: it ends with the thread.")
        with self._open_log() as log:
            self._log_start = log.tell()
            try:
                # The function below sets one number and asks for another, with nothing to lock or allocate.
                self._popen = subprocess.Popen(  # noqa: S603
                    [os.fspath(part) for part in argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env=environment,
                    pass_fds=(lock_fd,),
                    start_new_session=True,
                    preexec_fn=die_with_owner(self.stop_signal),
                    **account.popen(),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise Unavailable(f"{self.name} cannot be started as user {account.name}: {error}.") from None

    def stop(self, patience: float = 20.0) -> None:
        """End the process: ask, wait up to `patience` seconds, then kill its whole session."""
        if self._popen is None:
            return
        if self.running:
            self._popen.send_signal(self.stop_signal)
            try:
                self._popen.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(self._popen.pid, signal.SIGKILL)
                self._popen.wait()
        self._popen = None

    def complaint(self) -> str:
        """The last two things that the server wrote to its log since it was started, on one line."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode("utf-8", "replace").strip().splitlines()[-2:]
        return "; ".join(_PREFIX.sub("", line).strip().rstrip(".") for line in lines) or "it said nothing"

    def trim_log(self) -> None:
        """Put a log that has grown long aside while the server goes on writing to it."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
            # The server appends: its next line begins the emptied file.
            os.truncate(self.log, 0)
            self._log_start = 0

    def _open_log(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.trim_log()
        return open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")  # noqa: PTH123


def alive(pid: int) -> bool:
    """Whether a process of that id runs; one that has ended and waits for its parent to notice does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def die_with_owner(signal_number: int) -> Callable[[], None] | None:
    """What a child must call before its program starts, so that the kernel ends it with its owner (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    owner = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != owner:
            os._exit(1)

    return in_child
