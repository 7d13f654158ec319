"""The jobs of a fleet that a test starts. What they do, they note in Redis, for other processes to see."""

import os
import signal
import time

import dramatiq
import redis

from callboard.core.backoff import fixed
from callboard.middleware.default import ensure_broker

ensure_broker()

_client = redis.Redis.from_url(os.environ["REDIS_URL"])
_prefix = os.environ["CALLBOARD_NAMESPACE"]


def note(what: str) -> None:
    """Note something that happens."""
    _client.rpush(f"{_prefix}:notes", what)


@dramatiq.actor(max_retries=0)
def tick(number: int) -> int:
    """Note a number."""
    note(f"tick {number}")
    return number


@dramatiq.actor(max_retries=0)
def whoami() -> int:
    """The process that it runs in."""
    time.sleep(0.05)
    return os.getpid()


@dramatiq.actor(max_retries=0, time_limit=60_000)
def linger(name: str, seconds: float) -> str:
    """Take some time."""
    note(f"begin {name}")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    note(f"end {name}")
    return name


@dramatiq.actor(max_retries=0, mutex=True, overlap="wait", time_limit=60_000)
def guarded(name: str, seconds: float) -> str:
    """The same, one at a time."""
    linger(name, seconds)
    return name


@dramatiq.actor(max_retries=2, backoff=fixed(10))
def die(times: int) -> str:
    """Kill the process, some times."""
    note("die")
    if len([entry for entry in _client.lrange(f"{_prefix}:notes", 0, -1) if entry == b"die"]) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@dramatiq.actor(max_retries=0)
def leave(code: int) -> None:
    """End the process with an exit code, the first time."""
    note("leave")
    if _client.incr(f"{_prefix}:left") == 1:
        os._exit(code)


@dramatiq.actor(max_retries=0, mutex=True, time_limit=60_000)
def alone(name: str, seconds: float) -> str:
    """Take some time, and be skipped where another run does."""
    linger(name, seconds)
    return name


@dramatiq.actor(max_retries=0, queue_name="mail")
def mail() -> int:
    """A job of another queue."""
    return os.getpid()
