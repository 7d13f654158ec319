"""Functions that block in each of the ways in which a job can, and what is left of processes."""

import signal
import time

import psutil


def sleep_on() -> None:
    """Block in a call that lets other threads work."""
    time.sleep(30)


def hold_the_lock() -> None:
    """Block in a call that keeps the interpreter's lock, and looks at no signal."""
    sum(range(10**12))


def ignore_sigterm() -> None:
    """Go on whatever is asked for."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            time.sleep(30)
        except BaseException:  # noqa: BLE001
            continue


BLOCKING = {"sleep": sleep_on, "lock": hold_the_lock, "deaf": ignore_sigterm}


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
