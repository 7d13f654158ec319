"""Jobs that meet with faults, the same under Callboard and under plain Dramatiq with Periodiq (`FAULT_SIDE`).

What they do, they note in a file (`FAULT_NOTES`), one JSON object a line: it outlives every server.
"""

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend as ResultBackend
from periodiq import PeriodiqMiddleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from callboard.core.cron import cron
from callboard.middleware.default import ensure_broker
from helpers.fault_slots import slot_of

STOCK = os.environ["FAULT_SIDE"] == "stock"

#: What a line of a job's log is made of, and so are arguments and results.
LETTER = "x"


def stock_broker() -> RedisBroker:
    """Dramatiq's own broker; its client does not sit out an outage that is scaled down to seconds."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"], retry=Retry(NoBackoff(), 0))
    made = RedisBroker(
        client=client,
        namespace=os.environ["CALLBOARD_NAMESPACE"],
        heartbeat_timeout=int(os.environ["FAULT_HEARTBEAT"]),
        maintenance_chance=int(os.environ["FAULT_LUCK"]),
    )
    made.add_middleware(PeriodiqMiddleware(skip_delay=int(os.environ["FAULT_SKIP_DELAY"])))
    made.add_middleware(Results(backend=ResultBackend(client=client, namespace=f"{made.namespace}-results")))
    return made


if STOCK:
    dramatiq.set_broker(stock_broker())
else:
    ensure_broker()
_broker: Any = dramatiq.get_broker()
_broker.add_middleware(CurrentMessage())


def note(what: str, name: object = "") -> None:
    """Note something that happens, with the process, the attempt and the slot of its run."""
    message = CurrentMessage.get_current_message()
    options = {} if message is None else message.options
    entry = {
        "what": what,
        "name": str(name),
        "pid": os.getpid(),
        "attempt": options.get("retries", 0) + 1,
        "slot": slot_of(options),
        "at": time.time(),
    }
    with Path(os.environ["FAULT_NOTES"]).open("a") as file:
        file.write(f"{json.dumps(entry)}\n")


def job(
    ours: dict[str, Any] | None = None, stock: dict[str, Any] | None = None, **both: Any
) -> Callable[[Callable[..., Any]], Any]:
    """An actor with options of both sides, and of one alone."""
    return dramatiq.actor(**both, **((stock if STOCK else ours) or {}))


def alone(function: Callable[..., None]) -> Callable[..., None]:
    """Under plain Dramatiq, what its documentation offers for a mutex."""
    if not STOCK:
        return function
    limiter = ConcurrentRateLimiter(
        RedisBackend(client=_broker.client), f"{_broker.namespace}:alone", ttl=int(os.environ["FAULT_TTL"])
    )

    def run(*args: Any) -> None:
        with limiter.acquire():
            function(*args)

    return run


@job(max_retries=0)
def tick(number: int) -> None:
    """Note a number."""
    note("tick", number)


@job(max_retries=0, time_limit=60_000)
def linger(name: str, seconds: float) -> None:
    """Take some time."""
    note("begin", name)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    note("end", name)


@job(max_retries=0, time_limit=60_000, notify_shutdown=True)
def noticing(name: str, seconds: float) -> None:
    """The same, and be told when the worker shuts down."""
    linger.fn(name, seconds)


def _guarded(name: str, seconds: float) -> None:
    linger.fn(name, seconds)


guarded = job(
    {"mutex": True, "overlap": "wait", "max_retries": 0},
    {"min_backoff": 100, "max_backoff": 200, "max_retries": None},
    actor_name="guarded",
    time_limit=60_000,
)(alone(_guarded))


@job(max_retries=0)
def deadly() -> None:
    """Kill the process, every time."""
    note("begin", "deadly")
    os.kill(os.getpid(), signal.SIGKILL)


@job(max_retries=3, min_backoff=100, max_backoff=200, time_limit=60_000)
def fickle(name: str, seconds: float) -> None:
    """Fail where it takes much longer than it should, as when a connection has gone stale meanwhile."""
    begun = time.monotonic()
    linger.fn(name, seconds)
    if time.monotonic() - begun > seconds + 1.5:
        raise ConnectionError("stale")


@job(max_retries=3, min_backoff=200, max_backoff=400)
def shaky(number: int) -> None:
    """Fail in the first attempt, and note the number in the second."""
    message = CurrentMessage.get_current_message()
    if message is not None and message.options.get("retries", 0) == 0:
        raise ConnectionError("shaky")
    note("tick", number)


@job(max_retries=1, min_backoff=2_500, max_backoff=2_500, periodic=cron("0 0 1 1 *"))
def failing() -> None:
    """Fail every time; its retry comes late."""
    note("begin", "failing")
    raise ConnectionError("failing")


@job(max_retries=0, periodic=cron("* * * * * *"))
def slot() -> None:
    """Note the slot that it runs for, unless somebody has said that it is not to."""
    held = STOCK and _broker.client.exists(f"{_broker.namespace}:held")
    note("held" if held else "slot")


@job(max_retries=0, stock={"store_results": True})
def large(what: str, size: int, argument: str = "") -> str:
    """Return so much, log so much or fail with so much."""
    text = LETTER * size
    if what == "log":
        logging.getLogger("large").warning(text)
    elif what == "fail":
        raise ValueError(text)
    note("end", what)
    return text if what == "return" else ""
