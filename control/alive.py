"""Whether a part that runs on this host gives signs of life: what a container's health check asks.

`python -m callboard.control.alive worker` exits with 0 if it does, and else with 1 and one sentence.
"""

import platform
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import orjson
import redis
from sqlalchemy.exc import SQLAlchemyError

from callboard.core.errors import CallboardError
from callboard.core.keys import Keys
from callboard.core.settings import Settings, load_settings
from callboard.scheduler.presence import list_schedulers
from callboard.storage.engine import make_engine
from callboard.storage.vitals import recorder_silence

#: Seconds of silence after which a worker, and a recorder, counts as dead.
WORKER_SILENCE_S = 30
RECORDER_SILENCE_S = 60
#: Seconds to wait for an answer.
TIMEOUT_S = 3


def is_alive(part: str, settings: Settings) -> bool:
    """Whether the worker, scheduler, recorder, API or panel of this host is alive.

    A recorder that stands by is as alive as the one that works.

    Raises:
        KeyError: there is no such part.
        redis.RedisError, SQLAlchemyError, OSError: who would know does not answer.
    """
    return _CHECKS[part](settings)


def main(arguments: list[str]) -> int:
    """Check the part that the arguments name; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in _CHECKS:
        sys.stderr.write(f"Name one of these parts: {', '.join(_CHECKS)}.\n")
        return 2
    part = arguments[0]
    try:
        alive = is_alive(part, load_settings())
        reason = f"The {part} on {platform.node()} gives no sign of life."
    except (CallboardError, redis.RedisError, SQLAlchemyError, OSError) as error:
        alive, reason = False, f"Whether the {part} is alive cannot be told: {str(error).splitlines()[0]}"
    if not alive:
        sys.stderr.write(f"{reason}\n")
    return 0 if alive else 1


def _worker(settings: Settings) -> bool:
    keys = Keys(settings.callboard_namespace)
    with _redis(settings) as client:
        seconds, _ = client.time()
        oldest = (seconds - WORKER_SILENCE_S) * 1000
        alive: Any = client.zrangebyscore(keys.heartbeats, oldest, "+inf")
        described: Any = client.hmget(keys.workers, alive) if alive else []
    return any(one and orjson.loads(one).get("host") == platform.node() for one in described)


def _scheduler(settings: Settings) -> bool:
    with _redis(settings) as client:
        schedulers = list_schedulers(client, Keys(settings.callboard_namespace))
    return any(one["alive"] and one.get("host") == platform.node() for one in schedulers)


def _recorder(settings: Settings) -> bool:
    engine = make_engine(settings.database_url, application_name="callboard alive", pool_size=1)
    with engine.connect() as connection:
        silence = recorder_silence(connection, Keys(settings.callboard_namespace).events)
    engine.dispose()
    return silence is not None and silence < RECORDER_SILENCE_S


def _api(settings: Settings) -> bool:
    return _answers(settings.callboard_host, settings.callboard_api_port)


def _panel(settings: Settings) -> bool:
    return _answers(settings.callboard_host, settings.callboard_panel_port)


def _answers(host: str, port: int) -> bool:
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    address = f"[{own}]" if ":" in own else own
    with urllib.request.urlopen(f"http://{address}:{port}/healthz", timeout=TIMEOUT_S) as answer:
        return bool(answer.status == 200)


def _redis(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(
        settings.redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )


_CHECKS: dict[str, Callable[[Settings], bool]] = {
    "worker": _worker,
    "scheduler": _scheduler,
    "recorder": _recorder,
    "api": _api,
    "panel": _panel,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
