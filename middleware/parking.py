"""Where messages wait that may not go on yet: for a pause to end, a mutex, a slot, a breaker.

A parked message holds no thread, burns nothing and is asked for nothing: it lies in a lot in Redis until
whatever it waits for is free, and then goes back to the head of its queue. The step that frees something
says so; the thread of one of the workers then looks (`wake.lua`). What no such step tells of (a lease that
ends, a minute that passes, a worker that died in between) is found by looking again in time.
"""

import threading
import time
from collections.abc import Iterable
from typing import Any

import redis

from callboard.core.keys import Keys
from callboard.core.logging import get_logger
from callboard.middleware.scripts import load_script

#: The longest time in seconds until a lot is looked at again.
LONGEST = 5.0

#: The same while nothing is parked: whoever parks something looks after it, and is only to be replaced.
IDLE = 15.0

#: The most messages of one lot that are moved at once.
MOST = 500


def pause_lot(job: str) -> str:
    """The lot of a job that is paused."""
    return f"pause|job:{job}"


class Parking(threading.Thread):
    """The thread of one worker process that lets parked messages go on."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        super().__init__(name="callboard-parking", daemon=True)
        self._logger = get_logger(__name__)
        self._client: Any = client
        self._keys = keys
        self._wake = load_script(client, "wake")
        self._asked = threading.Event()
        self._stopping = False
        #: Lots to be looked at that are not marked as due in Redis.
        self._lots: set[str] = set()

    def look(self, lots: Iterable[str] = ()) -> None:
        """Have the lots that are due, and those named, looked at at once. Never waits."""
        self._lots.update(lots)
        self._asked.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        self._asked.set()
        if self.is_alive():
            self.join(2.0)

    def run(self) -> None:
        """Look until stopped."""
        told = False
        while not self._stopping:
            pause = LONGEST
            try:
                pause = self._look()
                told = False
            except redis.RedisError as error:
                if not told:
                    self._logger.warning("Parked messages cannot be looked at for now: %s.", error)
                    told = True
                time.sleep(0.5)
            except Exception:
                # Whatever it was: without this thread, what is parked would wait for another worker's.
                self._logger.exception("Looking at parked messages failed.")
            self._asked.wait(pause)
            self._asked.clear()

    def _look(self) -> float:
        """Returns in how many seconds to look again."""
        lots = list(self._lots)
        if lots:
            self._client.zadd(self._keys.lots, dict.fromkeys(lots, 0), xx=True)
            self._lots.difference_update(lots)
        while not self._stopping:
            left: int = self._wake(keys=[self._keys.namespace], args=[MOST, int(LONGEST * 1000)])
            if left > 0:
                return min(LONGEST, left / 1000)
            if left < 0:
                return IDLE
        return LONGEST
