"""Commits finished messages in groups.

One round trip for each job, taken inside each worker thread, is what a stock Dramatiq worker spends its time
on. Here a worker thread hands the finished message over and goes on; one thread commits everything that has
piled up meanwhile in one script: the records, the acknowledgements, the retries, the releases of locks.
Nothing waits when there is nothing else to do, and a group forms by itself when there is.

What was finished and not yet committed when a process is killed runs again: never more than one group.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import redis
from redis.commands.core import Script

from callboard.core.logging import get_logger
from callboard.middleware.delivery import Hold, Join, Packet

#: The most messages that may be finished and not committed, in one process.
GROUP = 256

#: Seconds to wait for more when the last group was a large one: fewer, larger groups cost less in all.
LINGER = 0.003

#: The size from which a group counts as large.
LARGE = 8

#: Seconds between attempts while Redis does not answer.
RETRY_DELAYS = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(slots=True)
class Finished:
    """A message that is finished: what to write of it, and whom to tell when that is done."""

    queue: str
    redis_id: str
    #: What becomes of the message: "ack", "dead", "back" or "park".
    fate: str
    event: bytes
    follows: tuple[Packet, ...]
    done: Callable[[str], None]
    lot: str = ""
    #: What it is parked for.
    cause: str | None = None
    holds: tuple[Hold, ...] = ()
    #: Whether its actor has run; otherwise a limit counts it no longer.
    begun: bool = False
    #: What its breaker is to know, as JSON.
    outcome: bytes = b""
    join: Join | None = None


class Committer:
    """The committing thread of one process. It starts with the first message handed over."""

    def __init__(self, script: Script, namespace: str, broker_id: str) -> None:
        self._logger = get_logger(__name__)
        self._script = script
        self._namespace = namespace
        self._broker_id = broker_id
        self._finished: deque[Finished] = deque()
        self._events: deque[bytes] = deque()
        self._in_flight = 0
        self._idle = False
        self._wake = threading.Event()
        self._room = threading.Condition()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False
        #: Called when parked messages may go on.
        self.look: Callable[[], None] = _nothing

    def commit(self, finished: Finished) -> None:
        """Hand a finished message over. Blocks only while a whole group is waiting already."""
        if len(self._finished) + self._in_flight >= GROUP:
            with self._room:
                while len(self._finished) + self._in_flight >= GROUP:
                    self._room.wait(0.1)
        self._finished.append(finished)
        self._rouse()

    def record(self, event: bytes) -> None:
        """Write an event that belongs to no finished message."""
        self._events.append(event)
        self._rouse()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything handed over is committed; whether that was so within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._finished or self._events or self._in_flight:
            if time.monotonic() > deadline or self._thread is None:
                return False
            time.sleep(0.005)
        return True

    def stop(self, timeout: float = 10.0) -> None:
        """Commit what there is and end the thread. What is handed over later starts another."""
        if self._thread is None:
            return
        if not self.flush(timeout):
            self._logger.error(
                "%d finished messages could not be committed; they will run again.",
                len(self._finished) + self._in_flight,
            )
        self._stopping = True
        self._wake.set()
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._thread, self._stopping = None, False

    def _rouse(self) -> None:
        if self._thread is None:
            self._start()
        elif self._idle:
            self._wake.set()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="callboard-committer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            if not self._finished and not self._events:
                self._idle = True
                if not self._finished and not self._events:
                    self._wake.wait()
                self._wake.clear()
                self._idle = False
                continue
            if self._commit_group() >= LARGE:
                time.sleep(LINGER)

    def _commit_group(self) -> int:
        group = [self._finished.popleft() for _ in range(len(self._finished))]
        self._in_flight = len(group)
        events = [self._events.popleft() for _ in range(len(self._events))]
        try:
            look, *refused = self._call(self._arguments(group, events))
        except Exception:
            # Such as a value of a hook's own that cannot be encoded. Without this thread, nothing would be
            # committed any more.
            self._logger.exception("Finished messages cannot be committed together; each is by itself.")
            look, refused = self._commit_each(group, events)
        if look:
            self.look()
        for position in refused:
            late = group[position - 1]
            self._logger.warning(
                "The result of message %s on queue %s was refused: the message was given to another worker.",
                late.redis_id,
                late.queue,
            )
        self._in_flight = 0
        for finished in group:
            finished.done(finished.redis_id)
        with self._room:
            self._room.notify_all()
        return len(group)

    def _commit_each(self, group: list[Finished], events: list[bytes]) -> tuple[int, list[int]]:
        """Commit one by one; what cannot be committed even so goes to the dead letters, alone."""
        self._call(self._arguments([], events))
        refused = []
        for position, item in enumerate(group, start=1):
            try:
                _, *late = self._call(self._arguments([item], []))
            except Exception:
                self._logger.exception("Message %s goes to the dead letters.", item.redis_id)
                bare = Finished(item.queue, item.redis_id, "dead", item.event, (), item.done)
                _, *late = self._call(self._arguments([bare], []))
            if late:
                refused.append(position)
        return 1, refused

    def _arguments(self, group: list[Finished], events: list[bytes]) -> list[str | bytes | int]:
        arguments: list[str | bytes | int] = [self._broker_id, len(group)]
        tail: list[str | bytes] = []
        releases: list[str | bytes] = []
        for position, item in enumerate(group, start=1):
            arguments += (item.queue, item.redis_id, item.fate, item.lot, item.event, len(item.follows))
            for packet in item.follows:
                tail += (packet.queue, packet.redis_id, packet.payload)
            if item.cause is not None:
                releases += (str(position), "held", item.redis_id, item.cause, "")
            for hold in item.holds:
                releases += (str(position), hold.kind, hold.name, hold.token, _last_word(item, hold))
            if (join := item.join) is not None:
                releases += (str(position), "group", join.group, join.member, str(len(join.packets)))
                for packet in join.packets:
                    releases += (packet.queue, packet.redis_id, packet.payload)
        arguments.append(len(events))
        arguments += events
        arguments += tail
        arguments += releases
        return arguments

    def _call(self, arguments: list[str | bytes | int]) -> list[int]:
        failures = 0
        while True:
            try:
                answer: list[int] = self._script(keys=[self._namespace], args=arguments)
            except redis.DataError:
                raise
            except redis.RedisError as error:
                if failures == 0:
                    self._logger.warning(
                        "Finished messages cannot be committed yet: %s. Trying again.", error
                    )
                time.sleep(RETRY_DELAYS[min(failures, len(RETRY_DELAYS) - 1)])
                failures += 1
            else:
                if failures:
                    self._logger.info("Finished messages are being committed again.")
                return answer


def _last_word(item: Finished, hold: Hold) -> str | bytes:
    """What is to be said of something that is released."""
    if hold.kind == "breaker":
        return item.outcome
    return str(hold.counted) if hold.counted and not item.begun else ""


def _nothing() -> None:
    """Where nothing is parked there is nothing to look at."""
