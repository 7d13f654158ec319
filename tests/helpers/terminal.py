"""Callboard's command line, driven from outside as a person would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil

from callboard.storage.embedded.process import alive
from helpers.waiting import wait_for

#: A shared machine may be slow: these are for what hangs, not for what is late.
START_S = 120.0
COMMAND_S = 60.0

#: Of the environment of the tests, what a command needs.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: nothing of Callboard's settings but what is given."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(more or {})


def callboard(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; both outputs as text."""
    return subprocess.run(
        [sys.executable, "-m", "callboard.cli.main", *arguments],
        cwd=cwd,
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )


class Process:
    """A command that goes on until it is told to end. What it writes is in `said`."""

    def __init__(self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.cwd = cwd
        self.output = cwd / f"{arguments[0]}-{time.monotonic_ns()}.out"
        with self.output.open("wb") as file:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "callboard.cli.main", *arguments],
                cwd=cwd,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def code(self) -> int | None:
        return self._popen.poll()

    def wait_until_says(self, text: str) -> None:
        """Wait until the output holds the text; fail where the process ends before."""

        def says() -> bool:
            assert text in self.said or self.code is None, f"ended with {self.code}:\n{self.said}"
            return text in self.said

        wait_for(says, START_S, f"{text!r}")

    def family(self) -> list[int]:
        """The ids of the process and of everything it started."""
        root = psutil.Process(self.pid)
        return [self.pid, *(child.pid for child in root.children(recursive=True))]

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 60.0) -> int:
        """Send a signal and wait; the exit code."""
        if self.code is None:
            self.send(number)
        return self._popen.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.code is None:
            left = self.family()
            self.end(signal.SIGKILL)
            wait_for(lambda: not any(alive(pid) for pid in left), 60, f"the end of {left}")


class Up(Process):
    """`callboard up` in a folder, on free ports."""

    def __init__(self, cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        parts = ("API", "PANEL", "SANDBOX", "SANDBOX_SMTP")
        ports = {f"CALLBOARD_{part}_PORT": "0" for part in parts}
        super().__init__("up", *arguments, cwd=cwd, env={**ports, **(env or {})})

    @property
    def home(self) -> Path:
        return self.cwd / ".callboard"

    @property
    def instance(self) -> dict[str, Any]:
        """Where it is."""
        found: dict[str, Any] = json.loads((self.home / "instance.json").read_text())
        return found

    def wait_until_up(self) -> None:
        """Wait until it has said where everything is."""
        self.wait_until_says("Log in as")
