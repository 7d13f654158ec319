"""Messages put onto a queue per second by one client."""

import time
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.harness import Servers, aim, servers, table
from callboard.middleware.broker import Broker

MESSAGES = 20_000


def main(*, quick: bool) -> None:
    """One call a message with either, then all in bulk."""
    messages = 5_000 if quick else MESSAGES
    with servers() as where:
        bare = rate(where, RedisBroker, messages, bulk=False)
        rows = [
            ("bare Dramatiq, one call a message", round(bare), 1.0),
            *(
                (f"Callboard, {words}", round(measured), measured / bare)
                for words, bulk in (("one call a message", False), ("in bulk", True))
                for measured in [rate(where, Broker, messages, bulk=bulk)]
            ),
        ]
    aim("enqueue, in bulk, messages/s", rows[-1][1], least=20_000)
    table(f"Enqueueing {messages:,} messages (in bulk 20,000/s)", ("", "messages/s", "x bare"), rows)


def rate(where: Servers, make: Callable[..., Any], messages: int, *, bulk: bool) -> float:
    """Messages per second."""
    broker = make(url=where.redis_url, namespace=f"enqueue-{make.__name__}-{bulk}")
    actor: Any = dramatiq.actor(actor_name="noop", queue_name="bench", broker=broker)(lambda: None)
    actor.send()
    begun = time.perf_counter()
    if bulk:
        broker.enqueue_many(actor.message() for _ in range(messages))
    else:
        for _ in range(messages):
            actor.send()
    seconds = time.perf_counter() - begun
    broker.close()
    return messages / seconds
