"""One execution of a message: what is known of it while it runs.

The execution is attached to the message's proxy as `execution` before the first hook may refuse the
message, and stays there until the message has been acknowledged. The actor's own function finds it
through `current_run()`.
"""

import os
import time
from contextvars import ContextVar
from itertools import count
from typing import Any
from uuid import uuid4

from dramatiq import MessageProxy

from callboard.core.limits import MAX_LOG_LINE, MAX_LOG_LINES, cut
from callboard.middleware.delivery import Hold
from callboard.middleware.interrupts import Window

_current: ContextVar["Execution | None"] = ContextVar("callboard_execution", default=None)


def now_ms() -> int:
    """The present time in ms since the epoch."""
    return time.time_ns() // 1_000_000


_numbers = count()
_prefix = ""


def _begin_ids() -> None:
    global _prefix
    _prefix = str(uuid4())[:24]


_begin_ids()
os.register_at_fork(after_in_child=_begin_ids)


def new_execution_id() -> str:
    """A UUID: a random part for each process and a number.

    Asking the system for random bytes each time would give the interpreter lock away in the middle of a job.
    """
    return f"{_prefix}{next(_numbers):012x}"


class Execution:
    """What is known of one execution. Times are ms since the epoch."""

    __slots__ = (
        "announced",
        "attempt",
        "begun_ns",
        "duration_ms",
        "execution_id",
        "fence",
        "finished",
        "holds",
        "job",
        "limit_ms",
        "log_lines",
        "max_attempts",
        "message",
        "notify_shutdown",
        "outcome",
        "progress",
        "progress_new",
        "reported",
        "result",
        "run_id",
        "sent_lines",
        "skip",
        "started",
        "stuck",
        "taken",
        "window",
    )  # fmt: skip

    def __init__(self, message: MessageProxy) -> None:
        self.message = message
        self.run_id: str = message.message_id
        self.job: str = message.actor_name
        self.attempt: int = message.options.get("retries", 0) + 1
        self.execution_id = new_execution_id()
        #: When a worker thread took the message up; the actor may start later, or never.
        self.taken = now_ms()
        self.started: int | None = None
        #: The same by a clock that nobody sets.
        self.begun_ns = 0
        self.finished: int | None = None
        self.duration_ms: int | None = None
        self.limit_ms: float | None = None
        self.max_attempts: int | None = None
        self.result: Any = None
        #: (state, reason) where a hook decided that the actor must not run.
        self.skip: tuple[str, str] | None = None
        #: What it holds of the fleet's: its mutex, slots of limits, a breaker's leave.
        self.holds: tuple[Hold, ...] = ()
        #: What a breaker is to know of its end, as JSON.
        self.outcome = b""
        #: The fencing number that came with the mutex.
        self.fence: int | None = None
        self.progress: dict[str, Any] | None = None
        self.progress_new = False
        self.announced = False
        self.reported = 0.0
        #: [at_ms, level, text] of each line; the first `sent_lines` of them have been sent.
        self.log_lines: list[list[Any]] = []
        self.sent_lines = 0
        #: Whether an isolated job asked to be told of its worker's shutdown.
        self.notify_shutdown = False
        #: Whether it goes on although it was interrupted: its thread is lost until it ends by itself.
        self.stuck = False
        #: Where the actor's function may be interrupted; None before and after it runs.
        self.window: Window | None = None

    @property
    def interrupt(self) -> tuple[str, str, str] | None:
        """(state, reason, by) where the actor was interrupted on somebody's order."""
        return self.window.order if self.window is not None else None

    def log(self, level: str, text: str) -> None:
        """Keep a log line, within the limits; the first line past them says that the rest is left out."""
        self.keep([now_ms(), level, cut(text, MAX_LOG_LINE)])

    def keep(self, line: list[Any]) -> bool:
        """Keep a line that is cut already; whether anything was added."""
        kept = len(self.log_lines)
        if kept == MAX_LOG_LINES:
            line = [line[0], "warning", f"[cut: only the first {MAX_LOG_LINES} lines are kept]"]
        if kept <= MAX_LOG_LINES:
            self.log_lines.append(line)
        return kept <= MAX_LOG_LINES

    def say(self, progress: dict[str, Any]) -> None:
        """Note how far the run has come."""
        self.progress = progress
        self.progress_new = True


def enter(execution: Execution) -> None:
    """Make an execution the current one of this thread."""
    _current.set(execution)


def leave() -> None:
    """Leave this thread without a current execution."""
    _current.set(None)


def current_execution() -> Execution | None:
    """The execution that this thread, or this task of the event loop, belongs to."""
    return _current.get()


class Run:
    """What an actor may know of its own run."""

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    @property
    def run_id(self) -> str:
        """The message's id: the same for every attempt, and so a good idempotency key."""
        return self._execution.run_id

    @property
    def job(self) -> str:
        """The actor's name."""
        return self._execution.job

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._execution.attempt

    @property
    def due_at_ms(self) -> int | None:
        """The slot (ms since the epoch) that a scheduled run stands for."""
        value = self._execution.message.options.get("due_at")
        return value if isinstance(value, int) else None

    @property
    def fence(self) -> int | None:
        """The fencing number of the job's mutex: larger than that of any earlier holder."""
        return self._execution.fence


def current_run() -> Run | None:
    """The run that the calling code is part of, or None outside of a worker."""
    execution = _current.get()
    return None if execution is None else Run(execution)


def progress(done: float, total: float | None = None, note: str | None = None) -> None:
    """Say how far the current run has come. Cheap; does nothing outside of a worker.

    Parameters:
        done: how much is done, in the job's own unit.
        total: how much there is in all, if known.
        note: a few words on what is going on.
    """
    execution = _current.get()
    if execution is not None:
        execution.say({"done": done, "total": total, "note": cut(note, 200) if note else None})
