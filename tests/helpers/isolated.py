"""Isolated jobs, functions that block in each of the ways that there are, and what is left of processes."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import dramatiq
import psutil

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for


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


def isolated(function: Any = None, **options: Any) -> Any:
    """Declare an isolated actor of one attempt."""
    return dramatiq.actor(function, **{"max_retries": 0, "isolation": "process", **options})


def written(path: Path) -> int:
    """The process id that a job has written, once it has."""
    wait_for(lambda: path.exists() and path.read_text(), what=f"{path.name} to be written")
    return int(path.read_text())


def end(broker: Broker, message: dramatiq.Message[Any]) -> None:
    """Do what the scheduler does when somebody has ended a run."""
    order = {"at": int(time.time() * 1000), "by": "ada", "reason": "wrong day"}
    broker.client.hset(broker.keys.ended, message.message_id, json.dumps(order))
    broker.client.publish(broker.keys.signals, "end")
