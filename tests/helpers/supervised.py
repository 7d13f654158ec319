"""A process that is started again whenever it ends, as every service manager does."""

import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from helpers.worker_fleet import TESTS


class Supervised:
    """The process, through all its restarts; what it writes goes to `log`."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._ending = threading.Event()
        #: How often it has been started.
        self.starts = 0
        self.process = self._start()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        self.starts += 1
        with self._log.open("ab") as output:
            return subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, cwd=TESTS.parent
            )

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            if self.process.poll() is not None:
                self.process = self._start()

    def terminate(self, timeout: float = 20.0) -> None:
        """Ask it to end, and wait until it has."""
        self._ending.set()
        self._thread.join()
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)

    def close(self) -> None:
        """End it, and whatever it has started."""
        self._ending.set()
        self._thread.join()
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            self.process.wait()
            for child in children:
                if child.is_running():
                    child.kill()
            psutil.wait_procs(children, 5)
