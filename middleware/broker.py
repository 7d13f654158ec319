"""Dramatiq's Redis broker with Callboard's engine in it.

The keys are Dramatiq's own, so that stock producers, stock workers and tools go on working with the same
queues. What differs is how they are used: fetch, commit and enqueue are scripts of ours (see `scripts/`),
idle consumers block instead of polling, finished messages are committed in groups together with their
records, and a delayed message or a retry moves in the same step that acknowledges the one before it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import redis
from dramatiq import ConnectionClosed, Consumer, Message
from dramatiq.common import current_millis, dq_name
from dramatiq.middleware import Middleware
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from callboard.core.errors import BadInput
from callboard.core.keys import Keys
from callboard.core.limits import MAX_MESSAGE_BYTES
from callboard.middleware.address import find_redis
from callboard.middleware.breaker import BreakerSettings
from callboard.middleware.chains import begin_chain
from callboard.middleware.committer import Committer
from callboard.middleware.consumer import Fetched, RedisConsumer
from callboard.middleware.delivery import Packet
from callboard.middleware.hand import Hand
from callboard.middleware.hooked import HookedBroker
from callboard.middleware.patience import spans
from callboard.middleware.scripts import load_script
from callboard.middleware.stack import complete
from callboard.middleware.switches import Switches
from callboard.middleware.templates import fill

#: Seconds for which a message sent once only is remembered.
ONCE_SECONDS = 86_400

#: The most wake tokens that a queue keeps.
WAKE_TOKENS = 64

#: The most messages that one call of the enqueue script carries.
BULK = 500

#: The longest delay of a message, in ms.
MAX_DELAY = 7 * 86_400_000


class Marked(NamedTuple):
    """A packet with the key that marks it as sent (or ""), and what that key is to hold."""

    packet: Packet
    mark: str
    value: str


class Packed(NamedTuple):
    """A message that is ready to be put onto its queue."""

    message: Message[Any]
    delay: int | None
    packet: Marked


class Broker(HookedBroker):
    """The broker of a Callboard application.

    Parameters:
        url: where Redis is: `redis://`, `rediss://` or `unix://`; or else `host`, `port` and `db` say so.
        namespace: the prefix of all keys.
        middleware: the application's own middleware, in addition to Callboard's.
        heartbeat_timeout: ms of silence after which a worker counts as dead and its messages go to others.
        source: where the actors come from, such as the names of their modules.
        breaker: what holds for circuit breakers that say nothing else.
        parameters: anything else that `redis.Redis.from_url` takes.

    Raises:
        BadInput: a parameter is one that only Dramatiq's own broker takes.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        namespace: str = "dramatiq",
        middleware: Sequence[Middleware] = (),
        heartbeat_timeout: int = 15_000,
        source: str = "",
        breaker: BreakerSettings | None = None,
        **parameters: Any,
    ) -> None:
        self.url = url = find_redis(url, parameters)
        parameters.setdefault("socket_timeout", 10)
        parameters.setdefault("socket_connect_timeout", 5)
        self._patient = redis.Redis.from_url(
            url, retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3), **parameters
        )
        # A fetch whose reply is lost must not be sent again: the messages of the first would be stranded.
        self._direct = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **parameters)
        super().__init__(
            client=self._patient,
            namespace=namespace,
            middleware=complete(middleware, self._patient, namespace, breaker, acks=self._own_acks),
            heartbeat_timeout=heartbeat_timeout,
            maintenance_chance=0,
        )
        self.defaults = [each for each in self.middleware if each not in middleware]
        self.keys = Keys(namespace)
        #: What operators have switched; None outside of a worker.
        self.switches: Switches | None = None
        #: Where the actors come from; a job that its source no longer declares is retired.
        self.source = source
        #: Whether this process is shutting down and takes no more work.
        self.draining = False
        self._enqueue = load_script(self._patient, "enqueue")
        self._fetch = load_script(self._direct, "fetch")
        #: What finished messages are handed to.
        self.committer = Committer(load_script(self._direct, "commit"), namespace, self.broker_id)
        self._hands: dict[str, Hand] = {}
        self._delayed: set[str] = set()
        self._promoted: dict[str, Packet] = {}

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Put a message onto its queue; see Dramatiq's documentation.

        Parameters:
            message: the message.
            delay: ms to wait before it may be processed; at most seven days.

        Returns:
            The message; where its idempotency key has been used within the last day, one with the id of the
            run that there is for it.

        Raises:
            BadInput: it is too large to be sent; see `core.limits`.
        """
        redis_id = str(message.options.get("redis_message_id"))
        # The worker has taken the time off a message that it moves.
        moving = delay is None and "eta" not in message.options and redis_id in self._delayed
        mark = "" if moving else self._key_of(message)
        message = self._address(message, delay)
        self.emit_before("enqueue", message, delay)
        packet = Packet.of(message)
        if moving:
            self._promoted[redis_id] = packet
        elif self._put([Marked(_checked(packet, message), mark, message.message_id)]) == 0 and mark:
            existing: Any = self._patient.get(mark)
            return message.copy(message_id=message.message_id if existing is None else existing.decode())
        self.emit_after("enqueue", message, delay)
        return message

    def enqueue_many(self, messages: Iterable[Message[Any]], *, once: bool = False) -> int:
        """Put many messages onto their queues, in as few round trips as possible.

        Parameters:
            messages: the messages; an `eta` option (ms since the epoch) delays one.
            once: leave out every message whose id was sent with `once` within the last day.

        Returns:
            How many were put.

        Raises:
            BadInput: one is too large to be sent, unless it is sent `once`: whoever does so has checked it.
        """
        return self.put_packed(self.pack_many(messages, once=once))

    def pack_many(self, messages: Iterable[Message[Any]], *, once: bool = False) -> list[Packed]:
        """Do the part of `enqueue_many` that needs no Redis, ahead of time."""
        packed = []
        for message in messages:
            eta = message.options.get("eta")
            delay = None if eta is None else max(0, int(eta) - current_millis())
            mark = self.keys.sent(message.message_id) if once else self._key_of(message)
            message = self._address(message, delay)
            self.emit_before("enqueue", message, delay)
            packet = Packet.of(message)
            if not once:
                _checked(packet, message)
            packed.append(Packed(message, delay, Marked(packet, mark, message.message_id)))
        return packed

    def put_packed(self, packed: Sequence[Packed]) -> int:
        """Do the rest of `enqueue_many`. Returns how many were put."""
        put = self._put([one.packet for one in packed])
        for one in packed:
            self.emit_after("enqueue", one.message, one.delay)
        return put

    def follow_up(self, message: Message[Any], delay: int | None) -> Packet:
        """Prepare a message to be put, delayed by ms or not at all, in the commit of the one before it."""
        message = self._address(message, delay)
        self.emit_before("enqueue", message, delay)
        packet = Packet.of(message)
        self.emit_after("enqueue", message, delay)
        return packet

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30000) -> Consumer:
        """Make the consumer of a queue; how long it idles is its own affair."""
        return RedisConsumer(self, queue_name, prefetch, self._hands.setdefault(queue_name, Hand()))

    def close(self) -> None:
        """Commit what is finished and close the connections."""
        self.committer.stop()
        for client in (self._patient, self._direct):
            client.close()

    @property
    def direct(self) -> redis.Redis:
        """A client that reports a lost connection instead of trying again behind the caller's back."""
        return self._direct

    def fetch(self, queue: str, count: int) -> list[Fetched]:
        """Take up to `count` messages off a queue."""
        flat = self._fetch(keys=[self.namespace], args=[self.broker_id, queue, min(count, BULK)])
        return [
            Fetched(flat[i].decode(), flat[i + 1], int(flat[i + 2] or 0), int(flat[i + 3] or 0), flat[i + 4])
            for i in range(0, len(flat), 5)
        ]

    def is_paused(self, queue: str) -> bool:
        """Whether this worker is to take no work off a queue."""
        switches = self.switches
        return switches is not None and (switches.paused_all is not None or queue in switches.paused_queues)

    def paused_since(self, queue: str) -> int | None:
        """Since when (ms) this worker is to take no work off a queue; None where it may."""
        return None if self.switches is None else self.switches.paused_since(queue)

    def rouse(self) -> None:
        """Have the consumers of this process look at their queues at once."""
        with self._patient.pipeline(transaction=False) as pipeline:
            for queue in (*self.queues, *self.delay_queues):
                pipeline.lpush(self._own_wake(queue), "1")
                pipeline.expire(self._own_wake(queue), 10)
            pipeline.execute()

    def fetched(self, queue: str) -> set[str]:
        """The ids of the messages that Redis knows this process to have taken off a queue."""
        ids: Any = self._patient.smembers(self.keys.acks(self.broker_id, queue))
        return {redis_id.decode() for redis_id in ids}

    def hands(self) -> list[tuple[str, Hand]]:
        """The queues that this process serves, each with what it has in hand."""
        return list(self._hands.items())

    def give_back(self, queue: str, redis_ids: list[str]) -> None:
        """Put messages that were fetched and not begun back onto their queue."""
        for start in range(0, len(redis_ids), BULK):
            self.do_requeue(queue, *redis_ids[start : start + BULK])
        if redis_ids:
            # Dramatiq's script wakes nobody.
            self._patient.lpush(self.keys.wake(queue), "1")
            self._patient.expire(self.keys.wake(queue), 60)

    def wait_for_token(self, queue: str, timeout: float) -> bool:
        """Block until a producer has put something onto a queue. Returns whether one has, within seconds."""
        keys = [self.keys.wake(queue), self._own_wake(queue)]
        blocks = spans(self._direct, max(timeout, 0.01))
        return any(self._direct.blpop(keys, timeout=span) is not None for span in blocks)

    def drain(self) -> None:
        """Take no more work, and let consumers that block know."""
        self.draining = True
        self.rouse()

    def hold_delayed(self, redis_id: str) -> None:
        """Remember a delayed message that this process waits with."""
        self._delayed.add(redis_id)

    def forget_delayed(self, redis_ids: Iterable[str]) -> None:
        """Forget delayed messages that went back to Redis."""
        self._delayed.difference_update(redis_ids)

    def take_promoted(self, redis_id: str) -> Packet | None:
        """What a delayed message has become, now that its time has come."""
        self._delayed.discard(redis_id)
        return self._promoted.pop(redis_id, None)

    def _own_acks(self, queue: str) -> str:
        return self.keys.acks(self.broker_id, queue)

    def _own_wake(self, queue: str) -> str:
        return self.keys.wake(f"{self.broker_id}.{queue}")

    def _address(self, message: Message[Any], delay: int | None) -> Message[Any]:
        """The message as it goes onto its queue; hooks may still add to its options."""
        options: dict[str, Any] = {"redis_message_id": str(uuid4())}
        if "pipe_target" in message.options and "chain" not in message.options:
            options["chain"] = begin_chain(message)
        if delay is None:
            return message.copy(options=options)
        if delay > MAX_DELAY:
            raise ValueError("A message may be delayed by seven days at most.")
        options["eta"] = current_millis() + int(delay)
        options["ready_at"] = options["eta"]
        return message.copy(queue_name=dq_name(message.queue_name), options=options)

    def _key_of(self, message: Message[Any]) -> str:
        """The key in Redis that stands for the message's idempotency key, or ""."""
        template = message.options.get("idempotency_key")
        if template is None:
            actor = self.actors.get(message.actor_name)
            template = actor.options.get("idempotency_key") if actor is not None else None
            if template is None:
                return ""
            template = fill(template, actor, message)
        return self.keys.once(message.actor_name, str(template))

    def _put(self, packets: Sequence[Marked]) -> int:
        put = 0
        for start in range(0, len(packets), BULK):
            arguments: list[Any] = [ONCE_SECONDS, WAKE_TOKENS]
            for packet, mark, value in packets[start : start + BULK]:
                arguments += (packet.queue, packet.redis_id, packet.payload, mark, value)
            try:
                put += self._enqueue(keys=[self.namespace], args=arguments)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                raise ConnectionClosed(error) from error
        return put


def _checked(packet: Packet, message: Message[Any]) -> Packet:
    size = len(packet.payload)
    if size > MAX_MESSAGE_BYTES:
        raise BadInput(
            f"The message for {message.actor_name} takes {size:,} bytes, and at most {MAX_MESSAGE_BYTES:,}"
            " are sent; keep the data elsewhere, and send where it is."
        )
    return packet
