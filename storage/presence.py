"""Signs of life: a process's description of itself in a hash in Redis, renewed every few seconds.

Schedulers, recorders, the API and the panel give them this way; a worker's go with its rounds.
"""

import os
import platform
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

import orjson
from redis import Redis
from redis.exceptions import RedisError

from callboard import __version__
from callboard.core.logging import get_logger
from callboard.core.memory import own_memory

#: Seconds between two signs of life, and of silence after which a process counts as dead.
EVERY = 5.0
DEAD = 15.0
#: Seconds after which a dead process is forgotten, and between two looks for such.
FORGOTTEN = 3600.0
LOOK = 60.0

log = get_logger(__name__)


class Presence:
    """One process's entry in a hash.

    Parameters:
        client: a client of Redis.
        key: the hash.
        describe: what the process says of itself beside what every process does.
    """

    def __init__(self, client: Redis, key: str, describe: Callable[[], dict[str, Any]]) -> None:
        self.id = uuid4().hex
        self._client = client
        self._key = key
        self._describe = describe
        self._looked = -LOOK
        self._fixed = {
            "pid": os.getpid(),
            "host": platform.node(),
            "version": __version__,
            "python": platform.python_version(),
            "started_at": time.time_ns() // 1_000_000,
        }

    def beat(self) -> None:
        """Give a sign of life, and now and then forget processes that have long been dead."""
        memory = own_memory()
        about = {"memory": memory.size, "memory_kind": memory.kind, "at": _now_ms(self._client)}
        said = {**self._fixed, **self._describe(), **about}
        self._client.hset(self._key, self.id, orjson.dumps(said))
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            oldest = said["at"] - FORGOTTEN * 1000
            dead = [one["id"] for one in list_present(self._client, self._key) if one["at"] < oldest]
            if dead:
                self._client.hdel(self._key, *dead)

    def leave(self) -> None:
        """Remove the entry: this process ends in order."""
        self._client.hdel(self._key, self.id)


class Beacon(threading.Thread):
    """A thread that gives the signs of life of a process that has no rounds of its own.

    As a context it begins and ends with the block.
    """

    def __init__(self, presence: Presence) -> None:
        super().__init__(name="callboard-beacon", daemon=True)
        self._presence = presence
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Give them until stopped."""
        while True:
            try:
                self._presence.beat()
            except (RedisError, OSError) as error:
                log.debug("No sign of life can be given for now.", action="no_sign", error=str(error))
            if self._stop_now.wait(EVERY):
                return

    def stop(self) -> None:
        """End, and take leave."""
        self._stop_now.set()
        self.join(2.0)
        try:
            self._presence.leave()
        except (RedisError, OSError) as error:
            log.debug("No leave could be taken.", action="no_leave", error=str(error))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def list_present(client: Redis, key: str) -> list[dict[str, Any]]:
    """All processes not yet forgotten: `id`, `at` (ms), `alive`, `pid`, `host` and what else each says."""
    now = _now_ms(client)
    found = []
    for field, value in cast(dict[bytes, bytes], client.hgetall(key)).items():
        try:
            description = dict(orjson.loads(value))
            at = int(description["at"])
        except (ValueError, TypeError, KeyError):
            description, at = {}, 0
        found.append({**description, "id": field.decode(), "at": at, "alive": now - at < DEAD * 1000})
    return found


def _now_ms(client: Redis) -> int:
    """By Redis's clock, so that those of the processes' hosts need not agree."""
    seconds, microseconds = client.time()
    return seconds * 1000 + microseconds // 1000
