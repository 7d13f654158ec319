"""Takes messages off one queue for the worker, and hands finished ones to the committer.

An idle consumer blocks on a token that producers leave, instead of polling: it starts within a millisecond
and costs Redis next to nothing. It also looks at the queue itself now and then, for producers that leave no
token (stock Dramatiq). How much it takes at once follows from how fast the worker finishes: twice the
number of threads while jobs are slow, so that no message waits behind a slow one while another worker is
idle, and up to `MOST` when jobs take well under a millisecond; or as many as `dramatiq_queue_prefetch` says.
"""

import time
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

import orjson
import redis
from dramatiq import ConnectionClosed, Consumer, Message, MessageProxy
from dramatiq import worker as stock
from dramatiq.common import q_name
from dramatiq.errors import DecodeError

from callboard.core.holds import Cause, held_of
from callboard.core.limits import storable
from callboard.core.logging import get_logger
from callboard.core.plain import words
from callboard.middleware import events
from callboard.middleware.committer import Committer, Finished
from callboard.middleware.delivery import Delivery, Packet, is_text
from callboard.middleware.execution import now_ms
from callboard.middleware.hand import Hand
from callboard.middleware.pauses import Pauses

#: The most messages that a process takes from one queue ahead of its threads.
MOST = 512

#: Seconds that an idle consumer blocks for a token before it looks at the queue itself.
IDLE = 6.0

#: Seconds between two looks whether a queue is still paused.
STAND_BY = 0.2

#: The same as `IDLE` for a queue of delayed messages.
IDLE_DELAYED = 8.0


class Fetched(NamedTuple):
    """A message taken off its queue; see `Delivery` for the counts."""

    redis_id: str
    payload: bytes
    rescued: int
    begun_again: int
    #: For how long (ms) it was parked, by cause, as JSON; b"" where it never was.
    held: bytes


class Source(Protocol):
    """What a consumer needs of its broker."""

    broker_id: str
    draining: bool
    committer: Committer

    def fetch(self, queue: str, count: int) -> list[Fetched]: ...
    def is_paused(self, queue: str) -> bool: ...
    def paused_since(self, queue: str) -> int | None: ...
    def wait_for_token(self, queue: str, timeout: float) -> bool: ...
    def hold_delayed(self, redis_id: str) -> None: ...
    def forget_delayed(self, redis_ids: Iterable[str]) -> None: ...
    def take_promoted(self, redis_id: str) -> Packet | None: ...
    def give_back(self, queue: str, redis_ids: list[str]) -> None: ...
    def fetched(self, queue: str) -> set[str]: ...


class RedisConsumer(Consumer):
    """The consumer of one queue in one process."""

    def __init__(self, broker: Source, queue_name: str, prefetch: int, hand: Hand) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        self._queue = queue_name
        self._delayed = queue_name.endswith(".DQ")
        #: Whether an operator has set how many to take, those in progress included.
        self._told = bool(stock.QUEUE_PREFETCH) and not self._delayed
        self._base = prefetch
        self._limit = prefetch
        self._cache: list[Delivery] = []
        self._held = hand
        self._room = hand.room
        #: Those that wait in memory for their time, and their times.
        self._waiting: set[str] = set()
        self._etas: list[tuple[float, str]] = []
        self._reclaimed = False
        self._fetched_at = 0.0
        self._woken = True
        self._pauses = Pauses()

    def __next__(self) -> MessageProxy | None:
        try:
            return self._next()
        except redis.RedisError as error:
            # Not only when it is away: a Redis out of memory, or one made read-only, refuses the script.
            raise ConnectionClosed(error) from None

    def _next(self) -> MessageProxy | None:
        if not self._delayed and self._broker.is_paused(self._queue):
            self._stand_by()
            return None
        if self._broker.draining:
            self._hand_back()
            time.sleep(0.05)
            return None
        if not self._cache:
            if not self._reclaimed:
                self._reclaim()
            # The order to stop may come while this waits, or while it fetches; what a stop broke off, or has
            # given back, is for the next worker.
            if not self._has_room() or not (self._woken or self._await_token()) or self._broker.draining:
                return None
            self._fetch()
            if not self._cache or self._broker.draining:
                return None
        return self._cache.pop()

    def ack(self, message: MessageProxy) -> None:
        self._finish(message, dead=False)

    def nack(self, message: MessageProxy) -> None:
        self._finish(message, dead=True)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        ids = [message.options["redis_message_id"] for message in messages]
        self._let_go(ids)
        try:
            self._broker.give_back(self._queue, ids)
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None

    def close(self) -> None:
        # The worker has given back, or forgotten, what waits for its time.
        self._let_go(list(self._waiting))
        self._hand_back()

    def _stand_by(self) -> None:
        """Give back what no thread has yet, and wait a moment."""
        self._hand_back()
        self._woken = True
        since = self._broker.paused_since(self._queue)
        time.sleep(STAND_BY)
        if since is not None:
            self._pauses.see(since)

    def _hand_back(self) -> None:
        cached, self._cache = self._cache, []
        if cached:
            # The next one to be handed out is the last of them.
            self.requeue(reversed(cached))

    def _let_go(self, ids: list[str]) -> None:
        for redis_id in ids:
            self._held.let_go(redis_id)
        self._waiting.difference_update(ids)
        self._broker.forget_delayed(ids)

    def _reclaim(self) -> None:
        """Put back what Redis counts as ours and we do not have.

        The reply to a fetch may be lost, and after a lost connection the worker forgets what it delayed.
        Nobody else would ever look at those messages while this process lives.
        """
        stray = list(self._broker.fetched(self._queue) - self._held.ids())
        if stray:
            self._logger.warning(
                "%d messages on queue %s had been fetched and got lost on the way; they go back.",
                len(stray),
                self._queue,
            )
            self._broker.give_back(self._queue, stray)
        self._reclaimed = True

    def _has_room(self) -> bool:
        if self._is_low():
            return True
        self._room.clear()
        if not self._is_low():
            self._room.wait(self._pause(1.0))
        return self._is_low()

    def _is_low(self) -> bool:
        held = len(self._held)
        return held < self._limit if self._told else held * 2 <= self._limit

    def _await_token(self) -> bool:
        """Block until there may be something to fetch."""
        timeout = self._pause(IDLE_DELAYED if self._delayed else IDLE)
        token = timeout > 0 and self._broker.wait_for_token(self._queue, timeout)
        self._woken = token or timeout >= IDLE
        return self._woken

    def _pause(self, longest: float) -> float:
        """Seconds until a delayed message held here is due, or `longest`."""
        while self._etas and self._etas[0][1] not in self._waiting:
            heappop(self._etas)
        if not self._etas:
            return longest
        return min(longest, max(0.0, self._etas[0][0] / 1000 - time.time()))

    def _fetch(self) -> None:
        wanted = self._limit - len(self._held)
        found = self._broker.fetch(self._queue, wanted)
        now = time.monotonic()
        if not self._delayed and not self._told:
            self._adapt(now - self._fetched_at, full=len(found) >= wanted)
        self._fetched_at = now
        self._woken = bool(found)
        fetched = now_ms()
        for each in found:
            delivery = self._decode(each, fetched)
            if delivery is not None:
                self._held.take(each.redis_id)
                self._cache.append(delivery)
        self._cache.reverse()
        if self._pauses and len(found) < wanted:
            self._pauses.forget()

    def _adapt(self, elapsed: float, *, full: bool) -> None:
        if full and elapsed < 0.04:
            self._limit = min(self._limit * 2, max(MOST, self._base))
        elif elapsed > 0.15:
            self._limit = max(self._limit // 2, self._base)

    def _decode(self, found: Fetched, fetched: int) -> Delivery | None:
        redis_id, payload = found.redis_id, found.payload
        try:
            message: Message[Any] = Message.decode(payload)
            check_fields(message, payload)
        except DecodeError as error:
            self._logger.error(
                "A message on queue %s cannot be decoded; it goes to the dead letters.", self._queue
            )
            event = events.undecodable(redis_id, q_name(self._queue), payload, error, self._broker.broker_id)
            self._held.take(redis_id)
            self._broker.committer.commit(Finished(self._queue, redis_id, "dead", event, (), self._release))
            return None
        # A message may carry an id, and name a queue, that it is not stored under (a requeue by other tools);
        # the store decides.
        if message.queue_name != self._queue:
            message = message.copy(queue_name=self._queue)
        message.options["redis_message_id"] = redis_id
        self._plan(message, redis_id, fetched)
        held = None
        if found.held or self._pauses:
            held = self._held_back(message, found.held, fetched)
        return Delivery(message, redis_id, len(payload), fetched, found.rescued, found.begun_again, held)

    def _held_back(self, message: Message[Any], parked: bytes, fetched: int) -> dict[Cause, int]:
        """For how long (ms) a message was held back by each cause: parked, or on a paused queue."""
        held = held_of(_object(parked))
        ready = message.options.get("ready_at")
        if type(ready) is not int:
            ready = message.message_timestamp
        paused = min(self._pauses.held(ready), fetched - ready - sum(held.values()))
        if paused > 0:
            held["pause"] = held.get("pause", 0) + paused
        return held

    def _plan(self, message: Message[Any], redis_id: str, fetched: int) -> None:
        """Note until when the worker is going to wait with a message."""
        eta = message.options.pop("eta", None)
        if not isinstance(eta, int | float):
            if not self._delayed:
                return
            eta = fetched
        message.options["eta"] = eta
        heappush(self._etas, (eta, redis_id))
        self._waiting.add(redis_id)
        self._broker.hold_delayed(redis_id)

    def _finish(self, message: MessageProxy, *, dead: bool) -> None:
        redis_id: str = message.options["redis_message_id"]
        self._waiting.discard(redis_id)
        follow = self._broker.take_promoted(redis_id)
        fate = "dead" if dead else "ack"
        follows = () if follow is None else (follow,)
        finished = Finished(self._queue, redis_id, fate, b"", follows, self._release)
        if follow is None and isinstance(message, Delivery):
            finished.event = events.finished(message, self._broker.broker_id, dead=dead)
            if not dead:
                finished.join = message.join
                retry = () if message.retry is None else (message.retry,)
                finished.follows = (*retry, *message.followers)
            if not dead and message.moves:
                finished.fate, finished.lot, finished.cause = message.moves, message.lot, message.cause
            if (execution := message.execution) is not None:
                finished.holds, finished.outcome = execution.holds, execution.outcome
                finished.begun = execution.started is not None
        self._broker.committer.commit(finished)

    def _release(self, redis_id: str) -> None:
        self._held.let_go(redis_id)
        if not self._room.is_set() and self._is_low():
            self._room.set()


def _object(encoded: bytes) -> object:
    try:
        return orjson.loads(encoded) if encoded else None
    except ValueError:
        return None


def check_fields(message: Message[Any], payload: bytes) -> None:
    """Raise DecodeError where a field is not what Dramatiq makes of it: no hook could work with that."""
    for name, kind in _KINDS.items():
        value = getattr(message, name)
        if not isinstance(value, kind) or (kind is str and not is_text(value)):
            raise DecodeError(f"The field {name} is {storable(words(value)):.100}.", payload, None)
    retries = message.options.get("retries", 0)
    if not isinstance(retries, int) or retries < 0:
        raise DecodeError(f"The option retries is {words(retries):.100}.", payload, None)


_KINDS: dict[str, type] = {
    "actor_name": str,
    "kwargs": dict,
    "options": dict,
    "message_id": str,
    "message_timestamp": int,
}
