"""Workers within the test's own process, and what they write to the event stream."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq import Message, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware

from callboard.core.states import FINAL
from callboard.middleware.broker import Broker
from callboard.storage.recorder.stream import decode
from helpers.waiting import wait_for

Event = dict[str, Any]


@contextmanager
def working(broker: Any, threads: int = 4, queues: set[str] | None = None) -> Iterator[Worker]:
    """A worker on a broker, whose threads look every 50 ms for the order to stop."""
    worker = Worker(broker, queues=queues, worker_threads=threads, worker_timeout=50)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(timeout=5_000)


def another_broker(broker: Broker, **options: Any) -> Broker:
    """A second broker on the same queues, as another process of the fleet has one.

    Dramatiq keeps one event loop in a process, so this one runs no async actors.
    """
    made = Broker(url=broker.url, namespace=broker.namespace, **options)
    made.middleware = [middleware for middleware in made.middleware if not isinstance(middleware, AsyncIO)]
    return made


def stock_broker(broker: Broker, middleware: Iterable[Middleware] | None = None) -> RedisBroker:
    """Dramatiq's own broker on the same queues, as an application has one that has not changed over.

    Its middleware is Dramatiq's default, unless given.
    """
    return RedisBroker(
        url=broker.url,
        namespace=broker.namespace,
        middleware=None if middleware is None else list(middleware),
    )


def events(broker: Broker, kind: str | None = None) -> list[Event]:
    """What lies in the event stream, oldest first."""
    found: list[Event] = []
    entries: Any = broker.client.xrange(broker.keys.events)
    for _, fields in entries:
        found += decode(fields[b"e"])
    return [event for event in found if kind is None or event["k"] == kind]


def run_events(broker: Broker, message: Message[Any] | str) -> list[Event]:
    """The events of one run's states, oldest first."""
    run_id = message if isinstance(message, str) else message.message_id
    return [event for event in events(broker, "run") if event["id"] == run_id]


def logged(broker: Broker, message: Message[Any]) -> list[str]:
    """The lines that a run has logged, in order; those of a long one go out before its end."""
    found = [event for event in events(broker) if event.get("id") == message.message_id]
    return [text for event in found for _, _, text in event.get("logs", ())]


def final_event(broker: Broker, message: Message[Any] | str, timeout: float = 30.0) -> Event:
    """The event with which a run ended, as soon as it has."""

    def ended() -> Event | None:
        return next((event for event in run_events(broker, message) if event["s"] in FINAL), None)

    event = wait_for(ended, timeout, f"the end of {message}")
    assert event is not None
    return event


def final_events(broker: Broker, count: int, timeout: float = 30.0) -> list[Event]:
    """The events of all runs that have ended, as soon as there are so many."""

    def ended() -> list[Event] | None:
        found = [event for event in events(broker, "run") if event["s"] in FINAL]
        return found if len(found) >= count else None

    found = wait_for(ended, timeout, f"the end of {count} runs")
    assert found is not None
    return found


def held(broker: Any, queue: str = "default") -> set[str]:
    """The Redis ids of the messages that a broker has fetched and not acknowledged."""
    return {item.decode() for item in broker.client.smembers(acks_key(broker, queue))}


def acks_key(broker: Any, queue: str = "default") -> str:
    """The key of the set of messages that a broker has fetched and not acknowledged."""
    return f"{broker.namespace}:__acks__.{broker.broker_id}.{queue}"


def dead_letters(broker: Any, queue: str = "default") -> list[bytes]:
    """The payloads of the dead-lettered messages of a queue."""
    return list(broker.client.hvals(f"{broker.namespace}:{queue}.XQ.msgs"))


def left_over(broker: Any, queue: str = "default") -> int:
    """How many messages lie in a queue or its delayed one, taken up or not."""
    # At one moment, since messages move between the two.
    with broker.client.pipeline() as pipeline:
        for name in (queue, f"{queue}.DQ"):
            pipeline.hlen(f"{broker.namespace}:{name}.msgs")
        return sum(pipeline.execute())


def wait_until_empty(broker: Any, queue: str = "default", timeout: float = 30.0) -> None:
    """Wait until nothing is left of a queue: no message waits, none is worked on, none is delayed."""
    wait_for(lambda: left_over(broker, queue) == 0, timeout, f"the end of queue {queue}")


class Calls:
    """Notes what happens in actors, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.made: list[Any] = []

    def note(self, what: Any = None) -> int:
        """Note one call; returns how many there have been."""
        with self._lock:
            self.made.append(what)
            return len(self.made)

    def wait_for(self, count: int, timeout: float = 30.0) -> list[Any]:
        """What was noted, as soon as there is so much."""
        wait_for(lambda: len(self.made) >= count, timeout, f"call number {count}")
        return list(self.made)


class Presence:
    """Counts who is inside at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.inside = self.most = self.entered = 0

    def __enter__(self) -> "Presence":
        with self._lock:
            self.inside += 1
            self.entered += 1
            self.most = max(self.most, self.inside)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.inside -= 1


def linger(seconds: float) -> None:
    """Be busy for so long, in steps that can be interrupted."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        time.sleep(0.001)


def threads_alive(worker: Worker) -> int:
    """How many of a worker's own threads live."""
    return sum(thread.is_alive() for thread in worker.workers)


def declare(broker: Any, function: Callable[..., Any], **options: Any) -> Any:
    """Declare a function as an actor on that broker."""
    return dramatiq.actor(function, broker=broker, **options)
