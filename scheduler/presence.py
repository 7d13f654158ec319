"""Signs of life: each scheduler's description in Redis, renewed every few seconds."""

import os
import platform
import time
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import orjson
from redis import Redis

from callboard.core.keys import Keys

#: Seconds between two signs of life, and of silence after which a scheduler counts as dead.
EVERY = 2.0
DEAD = 15.0
#: Seconds after which a dead scheduler is forgotten.
FORGOTTEN = 3600.0


class Presence:
    """One scheduler's entry in the hash of schedulers."""

    def __init__(self, client: Redis, keys: Keys, describe: Callable[[], dict[str, Any]]) -> None:
        self.id = uuid4().hex
        self._client = client
        self._keys = keys
        self._describe = describe
        self._fixed = {
            "pid": os.getpid(),
            "host": platform.node(),
            "python": platform.python_version(),
            "started_at": time.time_ns() // 1_000_000,
        }

    def beat(self) -> None:
        """Give a sign of life, and forget schedulers that have long been dead."""
        description = {**self._fixed, **self._describe(), "at": _now_ms(self._client)}
        self._client.hset(self._keys.schedulers, self.id, orjson.dumps(description))
        oldest = description["at"] - FORGOTTEN * 1000
        dead = [one["id"] for one in list_schedulers(self._client, self._keys) if one["at"] < oldest]
        if dead:
            self._client.hdel(self._keys.schedulers, *dead)

    def leave(self) -> None:
        """Remove the entry: this scheduler ends in order."""
        self._client.hdel(self._keys.schedulers, self.id)


def list_schedulers(client: Redis, keys: Keys) -> list[dict[str, Any]]:
    """All schedulers not yet forgotten: `id`, `at` (ms), `alive`, `pid`, `host` and what else each says."""
    now = _now_ms(client)
    found = []
    for field, value in cast(dict[bytes, bytes], client.hgetall(keys.schedulers)).items():
        try:
            description = dict(orjson.loads(value))
            at = int(description["at"])
        except (ValueError, TypeError, KeyError):
            description, at = {}, 0
        found.append({**description, "id": field.decode(), "at": at, "alive": now - at < DEAD * 1000})
    return found


def _now_ms(client: Redis) -> int:
    """By Redis's clock, so that those of the schedulers' hosts need not agree."""
    seconds, microseconds = client.time()
    return seconds * 1000 + microseconds // 1000
