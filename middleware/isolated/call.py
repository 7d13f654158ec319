"""One isolated run as the worker's thread sees it, which waits for its process and hears what it says."""

import contextlib
import os
import pickle
import select
import signal
import socket
import time
from typing import Any

import orjson
from dramatiq.middleware import TimeLimitExceeded

from callboard.core.errors import CallboardError
from callboard.middleware.execution import Execution
from callboard.middleware.interrupts import Window, WorkerFroze
from callboard.middleware.isolated import child
from callboard.middleware.isolated.frames import (
    ASK,
    BEAT,
    END,
    ERROR,
    INTERRUPT,
    KILL,
    LINE,
    MAX_FRAME,
    PROGRESS,
    RESULT,
    WHERE,
    Cause,
    Frames,
    frame,
)
from callboard.middleware.isolated.raised import put_together, traceback_of
from callboard.middleware.isolated.whereabouts import frames_of

#: Seconds that a process has after it was interrupted, before it is killed.
GRACE = 0.5

#: Seconds between two signs of life to the nursery.
SIGN = 0.3

#: Seconds between two looks at whether it has been interrupted.
LOOK = 0.05


class ProcessEnded(CallboardError):
    """The process of an isolated run has ended before the job was done."""


class MemoryLimitExceeded(ProcessEnded):
    """The process of an isolated run had more memory than it may."""


class NurseryLost(Exception):
    """The nursery has died, and all its processes with it: this worker can isolate no run any more."""


class Call:
    """One run's process.

    Parameters:
        execution: the run's execution.
        window: its window, which is open.
        leash: the socket to the nursery.
        speech: the socket to the process.
        memory: bytes that the process may have, or 0.
    """

    def __init__(
        self,
        execution: Execution,
        window: Window,
        leash: socket.socket,
        speech: socket.socket,
        memory: int,
    ) -> None:
        self._execution = execution
        self._window = window
        self._leash = leash
        self._end = bytearray()
        self._speech = speech
        self._memory = memory
        self._frames = Frames(most=MAX_FRAME)
        self._unsent = bytearray()
        self._listening = True
        self._outcome: tuple[bytes, bytes] | None = None
        #: When the process is killed (s, monotonic), once it was interrupted; whether it was asked to end.
        self._kill_at: float | None = None
        self._asked = False
        self._beat_at = 0.0

    def result(self, request: bytes) -> Any:
        """Have the request done, and return what the job returns, or raise what it raises.

        Raises:
            ProcessEnded: the process has ended otherwise.
            NurseryLost: so have all.
        """
        self._unsent += request
        self._leash.setblocking(False)
        self._speech.setblocking(False)
        while not self._hear_end():
            self._obey()
            self._wait()
            self._talk()
        self._talk()
        if self._outcome is None:
            raise self._explain()
        kind, payload = self._outcome
        if kind == ERROR:
            raise put_together(pickle.loads(payload))  # noqa: S301 - from a process of our own
        return pickle.loads(payload)  # noqa: S301 - the same

    def ask_where(self) -> None:
        """Have the process write down where it is; any thread may ask."""
        self._order(WHERE)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._leash, select.POLLIN)
        if self._listening:
            poll.register(self._speech, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        poll.poll(LOOK * 1000)

    def _obey(self) -> None:
        """Show that the worker lives, which includes this thread. Interrupt the process where its run was
        interrupted, and kill it if that is of no avail.
        """
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + SIGN
            self._order(BEAT)
        interrupt = self._window.interrupted_by
        if interrupt is None:
            return
        if self._kill_at is None:
            self._kill_at = now + GRACE
            self._unsent += frame(INTERRUPT, pickle.dumps(interrupt))
        elif now >= self._kill_at:
            self._order(KILL)
        elif not self._asked and not self._unsent:
            self._asked = True
            self._order(ASK)

    def _order(self, order: bytes) -> None:
        # Nobody may be there any more, or has read the orders before it.
        with contextlib.suppress(OSError):
            self._leash.send(order)

    def _talk(self) -> None:
        """Send and hear what can be, without waiting."""
        try:
            while self._listening and self._unsent:
                del self._unsent[: self._speech.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()
        while self._listening:
            try:
                piece = self._speech.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            self._listening = bool(piece)
            try:
                for kind, payload in self._frames.feed(piece):
                    self._hear(kind, payload)
            except ValueError:
                # Something of the job's has written into the socket.
                self._listening = False
                self._order(KILL)

    def _hear(self, kind: bytes, payload: bytes) -> None:
        if kind == LINE:
            self._execution.keep(orjson.loads(payload))
        elif kind == PROGRESS:
            self._execution.say(orjson.loads(payload))
        elif kind in (RESULT, ERROR):
            self._outcome = kind, payload

    def _hear_end(self) -> bool:
        """Whether the nursery has told all that it has to tell of the end."""
        try:
            while piece := self._leash.recv(1 << 16):
                self._end += piece
        except BlockingIOError:
            return False
        except OSError:
            pass
        if len(self._end) < END.size:
            raise NurseryLost
        return True

    def _explain(self) -> BaseException:
        """Why there is no outcome, as an error from where the process was."""
        cause, status, number = END.unpack_from(self._end)
        return self._error(cause, status, number).with_traceback(
            traceback_of(frames_of(bytes(self._end[END.size :]), until=child.__file__))
        )

    def _error(self, cause: int, status: int, number: int) -> BaseException:
        if cause == Cause.MEMORY:
            return MemoryLimitExceeded(
                f"The job's process had {_size(number)} of memory, and its memory_limit is"
                f" {_size(self._memory)}; raise the limit, or have the job work in smaller parts."
            )
        if cause == Cause.REFUSED:
            return ProcessEnded(f"No process could be started for the job: {os.strerror(number)}.")
        if cause == Cause.SILENCE:
            self._window.interrupt(WorkerFroze)
        if self._window.interrupted_by is not None:
            return self._window.interrupted_by()
        if cause == Cause.TIME:
            return TimeLimitExceeded()
        return ProcessEnded(f"The job's process ended with {_ending(status)}.")


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code} before the job was done"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _size(count: int) -> str:
    return f"{count / 2**20:,.0f} MB"
