"""Watches the executions of this process while they run.

Most are over before anyone could look; only those that last get an event of their own that says that they
have begun, and then their progress and log lines twice a second.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from callboard.core.logging import get_logger
from callboard.middleware import events
from callboard.middleware.committer import Committer
from callboard.middleware.execution import Execution, now_ms

#: Seconds between two looks.
TICK = 0.05

#: Milliseconds after which a run that is still running is announced.
ANNOUNCE_MS = 100

#: Seconds between two reports of a run's progress and log lines.
REPORT = 0.5


class Source(Protocol):
    """What the watch needs of its broker."""

    broker_id: str
    committer: Committer


class Watch:
    """The watching thread of one worker process. It sleeps while nothing runs."""

    def __init__(self, broker: Source) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        self._live: dict[str, Execution] = {}
        self._something = threading.Event()
        self._sleeping = True
        self._stopping = False
        #: Called with each live execution at every look.
        self.checks: list[Callable[[Execution], None]] = [self._report]
        #: The execution of which a failed check was last told, so that it is not told at every look.
        self._told = ""
        threading.Thread(target=self._run, name="callboard-watch", daemon=True).start()

    def add(self, execution: Execution) -> None:
        """Watch an execution."""
        self._live[execution.execution_id] = execution
        if self._sleeping:
            self._something.set()

    def remove(self, execution: Execution) -> None:
        """Watch it no longer."""
        self._live.pop(execution.execution_id, None)

    def live(self) -> list[Execution]:
        """The executions that run now."""
        return list(self._live.values())

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        self._something.set()

    def _run(self) -> None:
        while not self._stopping:
            if not self._live:
                self._sleeping = True
                if not self._live:
                    self._something.wait()
                self._something.clear()
                self._sleeping = False
            time.sleep(TICK)
            for execution in self.live():
                for check in self.checks:
                    self._do(check, execution)

    def _do(self, check: Callable[[Execution], None], execution: Execution) -> None:
        try:
            check(execution)
        except Exception:
            # Such as arguments that the job changes while they are shown. Without this thread, no time limit
            # would hold any more.
            if self._told != execution.execution_id:
                self._told = execution.execution_id
                self._logger.exception("Run %s cannot be watched.", execution.run_id)

    def _report(self, execution: Execution) -> None:
        started = execution.started
        if started is None:
            return
        if not execution.announced:
            if now_ms() - started >= ANNOUNCE_MS:
                execution.announced = True
                execution.reported = time.monotonic()
                self._broker.committer.record(events.started(execution, self._broker.broker_id))
        elif time.monotonic() - execution.reported >= REPORT:
            execution.reported = time.monotonic()
            if execution.progress_new or len(execution.log_lines) > execution.sent_lines:
                self._broker.committer.record(events.note(execution))
