"""From send to start on an idle worker, and what an idle worker costs Redis."""

import random
import threading
import time

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from bench.harness import Servers, aim, percentile, servers, table, worker
from callboard.middleware.broker import Broker

MESSAGES = 100
IDLE_SECONDS = 30
#: What a client says once, when it connects.
CONNECTING = ("HELLO", "CLIENT", "SELECT")


def main(*, quick: bool) -> None:
    """Send messages with pauses of up to a second, then listen while nothing is sent."""
    rows = []
    with servers() as where:
        for kind in ("bare", "callboard"):
            with worker(where, kind, kind):
                waits = send(where, kind, MESSAGES // 4 if quick else MESSAGES)
                time.sleep(5.0)
                commands = listen(where, 5 if quick else IDLE_SECONDS)
            rows.append((kind, percentile(waits, 0.5), percentile(waits, 0.99), max(waits), commands))
    aim("latency, p50 ms", rows[-1][1], most=3)
    aim("latency, p99 ms", rows[-1][2], most=20)
    aim("latency, idle commands/s", rows[-1][4], most=1)
    table(
        "From send to start on an idle worker (p50 under 3 ms, p99 under 20; one idle command/s)",
        ("system", "p50 ms", "p99 ms", "worst ms", "idle Redis commands/s (one queue, one process)"),
        rows,
    )


def send(where: Servers, kind: str, messages: int) -> list[float]:
    """The ms that each message waited."""
    make = RedisBroker if kind == "bare" else Broker
    broker = make(url=where.redis_url, namespace=kind)
    actor = dramatiq.actor(actor_name="stamp", queue_name="bench", broker=broker)(lambda _: None)
    pauses = random.Random(7)
    client = redis.Redis.from_url(where.redis_url)
    client.delete("bench-waits")
    for _ in range(messages):
        time.sleep(pauses.uniform(0.1, 1.0))
        actor.send(time.time_ns())
    time.sleep(2.0)
    broker.close()
    return [int(wait) / 1e6 for wait in client.lrange("bench-waits", 0, -1)]


def listen(where: Servers, seconds: float) -> float:
    """Commands a second that clients send; those within scripts are not sent by anybody."""
    client = redis.Redis.from_url(where.redis_url)
    heard: list[str] = []
    with client.monitor() as monitor:
        threading.Timer(seconds, lambda: client.set("bench-end", "1")).start()
        for command in monitor.listen():
            if "bench-end" in command["command"]:
                break
            name = command["command"].split()[0].upper()
            if command["client_type"] != "lua" and name not in CONNECTING:
                heard.append(name)
    return len(heard) / seconds
