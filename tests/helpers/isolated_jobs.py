"""Isolated jobs of a fleet that a test starts. What they do, they note in Redis, for others to see."""

import os
import subprocess
import sys
import time

import dramatiq

from helpers.fleet_jobs import note
from helpers.isolated import BLOCKING


@dramatiq.actor(max_retries=0, isolation="process", time_limit=60_000)
def settle(name: str, seconds: float) -> str:
    """Start a process, note both, and take some time."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    note(f"{name} {os.getpid()} {child.pid}")
    time.sleep(seconds)
    return name


@dramatiq.actor(max_retries=0, isolation="process", mutex=True, time_limit=60_000)
def sealed(name: str, seconds: float) -> str:
    """The same, one at a time."""
    return str(settle(name, seconds))


@dramatiq.actor(max_retries=0, isolation="process", time_limit=500)
def block(how: str) -> None:
    """Block in one of the ways in which a job can."""
    note(f"block {os.getpid()}")
    BLOCKING[how]()


@dramatiq.actor(max_retries=0, isolation="process")
def crash() -> None:
    """Die at once."""
    os.abort()


@dramatiq.actor(max_retries=0, isolation="process")
def nothing() -> None:
    """Do nothing."""


@dramatiq.actor(max_retries=0)
def nothing_in_a_thread() -> None:
    """The same in a thread."""
