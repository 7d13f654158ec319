"""The worker's master: starts the processes, starts again those that die, and ends them in order."""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from callboard.core.logging import get_logger
from callboard.core.settings import Settings
from callboard.worker.child import CANNOT_BEGIN, RECYCLED, WorkerOptions, work
from callboard.worker.memory import freeze_loaded

#: Seconds between two looks at the processes.
LOOK = 0.2

#: Seconds to wait before a process is started again: more each time it dies soon.
RESTART_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

#: Seconds after which a process counts as having worked well.
HEALTHY = 60.0

log = get_logger("callboard.worker")


def run(
    settings: Settings,
    *,
    processes: int = 1,
    threads: int = 8,
    queues: list[str] | None = None,
    grace_s: float = 30.0,
    max_jobs: int | None = None,
    max_memory: int | None = None,
) -> int:
    """Keep `processes` worker processes of `threads` threads working until SIGTERM or SIGINT.

    Returns:
        The exit code: 0, or that of a process that could not begin.
    """
    options = WorkerOptions(
        threads=threads,
        queues=tuple(queues) if queues else None,
        grace_s=grace_s,
        max_jobs=max_jobs,
        max_memory=max_memory,
    )
    return Master(settings, options, processes).run()


@dataclass(slots=True)
class Slot:
    """One of the processes, through all its restarts."""

    process: BaseProcess | None = None
    #: Shared with the process: set by it once it works.
    working: Any = None
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0


class Master:
    """Has no thread and no connection of its own, so that its processes can be forked."""

    def __init__(self, settings: Settings, options: WorkerOptions, processes: int) -> None:
        self._settings = settings
        self._options = options
        self._slots = [Slot() for _ in range(processes)]
        self._context: BaseContext = multiprocessing.get_context(
            "fork" if sys.platform.startswith("linux") else "spawn"
        )
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Work until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        freeze_loaded()
        while not self._stopping:
            for slot in self._slots:
                self._look(slot)
            time.sleep(LOOK)
        self._end()
        return self._code

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _look(self, slot: Slot) -> None:
        now = time.monotonic()
        if slot.process is None:
            if now >= slot.start_at and not self._stopping:
                self._start(slot)
        elif slot.process.exitcode is not None:
            code = slot.process.exitcode
            slot.process = None
            if slot.working.value == RECYCLED:
                self._start(slot)
                return
            # A job may end its process with any code, this one too.
            if code == CANNOT_BEGIN and not slot.working.value:
                self._code = code
                self._stopping = True
                return
            slot.failures = 0 if now - slot.started > HEALTHY else slot.failures + 1
            delay = RESTART_DELAYS[min(slot.failures, len(RESTART_DELAYS)) - 1] if slot.failures else 0.0
            slot.start_at = now + delay
            log.error("A worker process died.", action="worker_died", code=code, restart_in_s=delay)

    def _start(self, slot: Slot) -> None:
        slot.working = self._context.RawValue("b", 0)
        slot.process = self._context.Process(  # type: ignore[attr-defined]
            target=work,
            args=(self._settings, self._options, os.getpid(), slot.working),
            name="callboard-worker",
        )
        # A forked process inherits the master's handler: an order to end would be lost until it has its own.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            slot.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        slot.started = time.monotonic()

    def _end(self) -> None:
        """Let the processes finish within the grace, then kill what is left."""
        processes = [slot.process for slot in self._slots if slot.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + self._options.grace_s + 10.0
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                log.error("A worker process did not end in time.", action="worker_killed", pid=process.pid)
                process.kill()
                process.join()
