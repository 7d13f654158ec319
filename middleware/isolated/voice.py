"""What an isolated run says while it runs, and hears: the process's end of the socket to its run's thread."""

import contextlib
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
from dramatiq import MessageProxy

from callboard.core.plain import plain
from callboard.middleware.execution import Execution
from callboard.middleware.isolated.forks import end_forks_by_sigterm
from callboard.middleware.isolated.frames import INTERRUPT, LINE, PROGRESS, REQUEST, Frames, frame
from callboard.middleware.isolated.whereabouts import watch_whereabouts

#: Seconds between two reports of progress: a job may say it in each round of a loop.
REPORT = 0.1


class Voice:
    """One process's. A line is sent before the job goes on: whatever happens then, it has been said."""

    def __init__(self, speech: socket.socket) -> None:
        self._speech = speech
        self._frames = Frames()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._main = threading.get_ident()
        #: Whether an interrupt may be raised in the main thread, and whether it must wait for a frame's end.
        self._open = False
        self._sending = False
        self._struck: type[BaseException] | None = None
        self._progress: dict[str, Any] | None = None
        self._reported = 0.0
        self._reporter: threading.Timer | None = None

    def hear_request(self) -> bytes:
        """Wait for what is to be done."""
        while True:
            piece = self._speech.recv(1 << 16)
            if not piece:
                # The thread that asked is gone.
                os._exit(0)
            for kind, payload in self._frames.feed(piece):
                if kind == REQUEST:
                    return payload

    def interruptible(self, function: Callable[[], Any], where: int) -> Any:
        """Call a function in this, the main thread, in which an interrupt from the worker is raised.

        Where it is then is written into the file `where`.
        """
        signal.signal(signal.SIGTERM, self._hear_interrupt)
        end_forks_by_sigterm(self._hear_interrupt)
        watch_whereabouts(where)
        self._open = True
        try:
            # One may have come before there was a handler.
            self._hear_interrupt()
            return function()
        finally:
            self._open = False

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send a frame. What would break into another one is dropped: from a process that the job has forked,
        or a signal handler of its own.
        """
        main = threading.get_ident() == self._main
        if os.getpid() != self._pid or (main and self._sending):
            return
        if main:
            self._sending = True
        try:
            # The worker may be gone; then so is this process, in a moment.
            with self._lock, contextlib.suppress(OSError):
                self._speech.sendall(frame(kind, payload))
        finally:
            if main:
                self._sending = False
        if main and self._struck is not None:
            self._strike(self._struck)

    def report(self, progress: dict[str, Any]) -> None:
        """Send the progress, now or within a tenth of a second."""
        self._progress = progress
        if time.monotonic() - self._reported >= REPORT:
            self.report_now()
        elif self._reporter is None and os.getpid() == self._pid:
            self._reporter = threading.Timer(REPORT, self.report_now)
            self._reporter.daemon = True
            self._reporter.start()

    def report_now(self) -> None:
        """Send what there is of progress."""
        self._reporter = None
        progress, self._progress = self._progress, None
        if progress is not None:
            self._reported = time.monotonic()
            self.send(PROGRESS, orjson.dumps(plain(progress)))

    def _hear_interrupt(self, *_: object) -> None:
        """What SIGTERM does: raise what the worker has sent. If it has not sent it, it was somebody else."""
        try:
            piece = self._speech.recv(1 << 16, socket.MSG_DONTWAIT)
        except OSError:
            piece = b""
        for kind, payload in self._frames.feed(piece):
            if kind == INTERRUPT:
                self._strike(pickle.loads(payload))  # noqa: S301 - from our own worker

    def _strike(self, exception: type[BaseException]) -> None:
        if self._sending:
            self._struck = exception
            return
        self._struck = None
        if self._open:
            self._open = False
            raise exception


class Spoken(Execution):
    """An execution as its own process knows it: what is said of it goes to the worker at once."""

    __slots__ = ("voice",)

    def __init__(self, message: MessageProxy, voice: Voice) -> None:
        super().__init__(message)
        self.voice = voice

    def keep(self, line: list[Any]) -> bool:
        kept = super().keep(line)
        if kept:
            self.voice.send(LINE, orjson.dumps(plain(self.log_lines[-1])))
        return kept

    def say(self, progress: dict[str, Any]) -> None:
        super().say(progress)
        self.voice.report(progress)
