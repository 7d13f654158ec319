"""The actors that are measured. Declared on whichever broker the environment asks for."""

import os
import time

import dramatiq
import redis

if os.environ.get("BENCH_BROKER") == "bare":
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"], namespace=os.environ["CALLBOARD_NAMESPACE"]))
else:
    import callboard

    _ = callboard.Broker  # Taking a public name makes Callboard's broker the default.


@dramatiq.actor(actor_name="noop", queue_name="bench", max_retries=0)
def noop() -> None:
    """Do nothing."""


@dramatiq.actor(actor_name="stamp", queue_name="bench", max_retries=0)
def stamp(sent_ns: int) -> None:
    """Say in Redis how many ns after the sending it began."""
    waited = time.time_ns() - sent_ns
    _client().rpush("bench-waits", waited)


@dramatiq.actor(actor_name="tally", queue_name="bench", max_retries=0)
def tally(number: int) -> None:
    """Leave a line in a file, which outlives a killed process."""
    os.write(_file(), f"{number}\n".encode())


def _client() -> redis.Redis:
    if "client" not in _open:
        _open["client"] = redis.Redis.from_url(os.environ["REDIS_URL"])
    return _open["client"]


def _file() -> int:
    if "file" not in _open:
        _open["file"] = os.open(os.environ["BENCH_TALLY"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    return _open["file"]


_open: dict = {}
