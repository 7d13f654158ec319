"""Takes messages off one queue for the worker, and hands finished ones to the committer.

An idle consumer blocks on a token that producers leave, instead of polling: it starts within a millisecond
and costs Redis next to nothing. It also looks at the queue itself now and then, for producers that leave no
token (stock Dramatiq). How much it takes at once follows from how fast the worker finishes: twice the
number of threads while jobs are slow, so that no message waits behind a slow one while another worker is
idle, and up to `MOST` when jobs take well under a millisecond.
"""

import threading
import time
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Protocol

import redis
from dramatiq import ConnectionClosed, Consumer, Message, MessageProxy
from dramatiq.common import q_name
from dramatiq.errors import DecodeError

from callboard.core.logging import get_logger
from callboard.middleware import events
from callboard.middleware.committer import Committer, Finished
from callboard.middleware.delivery import Delivery, Packet
from callboard.middleware.execution import now_ms

#: The most messages that a process takes from one queue ahead of its threads.
MOST = 512

#: Seconds that an idle consumer blocks for a token before it looks at the queue itself.
IDLE = 4.0

#: The same for a queue of delayed messages.
IDLE_DELAYED = 8.0


class Source(Protocol):
    """What a consumer needs of its broker."""

    broker_id: str
    draining: bool
    committer: Committer

    def fetch(self, queue: str, count: int) -> list[tuple[str, bytes]]: ...
    def wait_for_token(self, queue: str, timeout: float) -> bool: ...
    def hold_delayed(self, redis_id: str) -> None: ...
    def forget_delayed(self, redis_ids: Iterable[str]) -> None: ...
    def take_promoted(self, redis_id: str) -> Packet | None: ...
    def give_back(self, queue: str, redis_ids: list[str]) -> None: ...


class RedisConsumer(Consumer):
    """The consumer of one queue in one process."""

    def __init__(self, broker: Source, queue_name: str, prefetch: int) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        self._queue = queue_name
        self._delayed = queue_name.endswith(".DQ")
        self._base = prefetch
        self._limit = prefetch
        self._cache: list[Delivery] = []
        self._held: set[str] = set()
        self._etas: list[tuple[float, str]] = []
        self._room = threading.Event()
        self._fetched_at = 0.0
        self._woken = True

    def __next__(self) -> MessageProxy | None:
        try:
            return self._next()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None

    def _next(self) -> MessageProxy | None:
        if not self._cache:
            if self._broker.draining:
                time.sleep(0.05)
                return None
            if not self._has_room():
                return None
            if not self._woken and not self._await_token():
                return None
            self._fetch()
            if not self._cache:
                return None
        return self._cache.pop()

    def ack(self, message: MessageProxy) -> None:
        self._finish(message, dead=False)

    def nack(self, message: MessageProxy) -> None:
        self._finish(message, dead=True)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        ids = [message.options["redis_message_id"] for message in messages]
        try:
            self._broker.give_back(self._queue, ids)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None
        self._held.difference_update(ids)
        self._broker.forget_delayed(ids)

    def close(self) -> None:
        cached, self._cache = self._cache, []
        self.requeue(cached)

    def _has_room(self) -> bool:
        if len(self._held) * 2 <= self._limit:
            return True
        self._room.clear()
        if len(self._held) * 2 > self._limit:
            self._room.wait(self._pause(1.0))
        return len(self._held) * 2 <= self._limit

    def _await_token(self) -> bool:
        """Block until there may be something to fetch."""
        timeout = self._pause(IDLE_DELAYED if self._delayed else IDLE)
        token = timeout > 0 and self._broker.wait_for_token(self._queue, timeout)
        self._woken = token or timeout >= IDLE
        return self._woken

    def _pause(self, longest: float) -> float:
        """Seconds until a delayed message held here is due, or `longest`."""
        while self._etas and self._etas[0][1] not in self._held:
            heappop(self._etas)
        if not self._etas:
            return longest
        return min(longest, max(0.0, self._etas[0][0] / 1000 - time.time()))

    def _fetch(self) -> None:
        wanted = self._limit - len(self._held)
        found = self._broker.fetch(self._queue, wanted)
        now = time.monotonic()
        if not self._delayed:
            self._adapt(now - self._fetched_at, full=len(found) >= wanted)
        self._fetched_at = now
        self._woken = bool(found)
        fetched = now_ms()
        for redis_id, payload in found:
            delivery = self._decode(redis_id, payload, fetched)
            if delivery is not None:
                self._held.add(redis_id)
                self._cache.append(delivery)
        self._cache.reverse()

    def _adapt(self, elapsed: float, *, full: bool) -> None:
        if full and elapsed < 0.04:
            self._limit = min(self._limit * 2, max(MOST, self._base))
        elif elapsed > 0.15:
            self._limit = max(self._limit // 2, self._base)

    def _decode(self, redis_id: str, payload: bytes, fetched: int) -> Delivery | None:
        try:
            message: Message[Any] = Message.decode(payload)
        except DecodeError as error:
            self._logger.error(
                "A message on queue %s cannot be decoded; it goes to the dead letters.", self._queue
            )
            event = events.undecodable(redis_id, q_name(self._queue), payload, error, self._broker.broker_id)
            self._held.add(redis_id)
            self._broker.committer.commit(
                Finished(self._queue, redis_id, True, event, None, None, self._release)
            )
            return None
        delivery = Delivery(message, redis_id, len(payload), fetched)
        # A message may carry an id that it was not stored under (a requeue by other tools); the store
        # decides.
        message.options["redis_message_id"] = redis_id
        eta = message.options.get("eta")
        if self._delayed and isinstance(eta, int | float):
            heappush(self._etas, (eta, redis_id))
            self._broker.hold_delayed(redis_id)
        return delivery

    def _finish(self, message: MessageProxy, *, dead: bool) -> None:
        redis_id: str = message.options["redis_message_id"]
        event, follow, mutex = b"", None, None
        if self._delayed and not dead:
            follow = self._broker.take_promoted(redis_id)
        elif isinstance(message, Delivery):
            event = events.finished(message, self._broker.broker_id, dead=dead)
            follow = None if dead else message.retry
            mutex = message.execution.mutex if message.execution else None
        self._broker.committer.commit(
            Finished(self._queue, redis_id, dead, event, follow, mutex, self._release)
        )

    def _release(self, redis_id: str) -> None:
        self._held.discard(redis_id)
        if not self._room.is_set() and len(self._held) * 2 <= self._limit:
            self._room.set()
