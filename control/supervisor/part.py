"""One part as a child process: started, watched, started again with growing patience, ended."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.control.supervisor.logs import LogFile, Pump, event_of

#: Seconds to wait before a part is started again: more each time that it dies soon.
RESTART_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: Seconds after which a part counts as having worked well.
HEALTHY_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a part is: its name, the command of its process, and how long it may take to end in order."""

    name: str
    argv: tuple[str, ...]
    drain_s: float = 10.0


class Part:
    """A part and its present process, which leads a session of its own."""

    def __init__(
        self,
        plan: Plan,
        *,
        environment: Mapping[str, str],
        logs: Path,
        show: Callable[[str, str], None],
        inherited: Sequence[int] = (),
    ) -> None:
        self.plan = plan
        self.name = plan.name
        self.ready = False
        self.failures = 0
        self._environment = dict(environment)
        self._log = LogFile(logs / f"{plan.name}.log")
        self._show = show
        self._inherited = tuple(inherited)
        self._popen: subprocess.Popen[bytes] | None = None
        self._pump: Pump | None = None
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the present process."""
        return self._popen.pid if self._popen is not None else None

    @property
    def age_s(self) -> float:
        """Seconds since the present process was started."""
        return time.monotonic() - self._started_at

    @property
    def due(self) -> bool:
        """Whether it is time to start it (again)."""
        return self._popen is None and time.monotonic() >= self._start_at

    def start(self) -> None:
        """Start the process. To be called from the main thread, with which it ends."""
        self._popen = subprocess.Popen(  # noqa: S603
            self.plan.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
            pass_fds=self._inherited,
        )
        self._started_at = time.monotonic()
        self.ready = False
        if self._popen.stdout is not None:
            self._pump = Pump(self.name, self._popen.stdout, self._log, self._show)

    def reap(self) -> str | None:
        """Where the process has ended, say how, and set the time of the next start; else None."""
        if self._popen is None or self._popen.poll() is None:
            return None
        if self._pump is not None:
            self._pump.finish()
        how = self.ending()
        self.failures = 1 if self.age_s > HEALTHY_S else self.failures + 1
        self._start_at = time.monotonic() + self.restart_delay_s
        self._popen = None
        return how

    @property
    def restart_delay_s(self) -> float:
        """Seconds between its latest end and its next start."""
        return RESTART_DELAYS[min(max(self.failures, 1), len(RESTART_DELAYS)) - 1]

    def ending(self) -> str:
        """How the process ended, with its last words."""
        code = self._popen.returncode if self._popen is not None else None
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        last = event_of(self._pump.tail[-1]) if self._pump is not None and self._pump.tail else ""
        return f"ended with code {code}" + (f": {last.rstrip('.')}" if last else "")

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.terminate()

    @property
    def ended(self) -> bool:
        """Whether no process of it runs."""
        return self._popen is None or self._popen.poll() is not None

    def sweep(self) -> bool:
        """Kill whatever is left of the process and of those that it started; say whether anything was."""
        if self._popen is None:
            return False
        left = self._popen.poll() is None
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
            left = True
        except (ProcessLookupError, PermissionError):
            pass
        self._popen.wait()
        if self._pump is not None:
            self._pump.finish()
        self._popen = None
        return left
