"""What a worker process weighs, beside bare Dramatiq's."""

import time

import dramatiq
import psutil

from bench.harness import Servers, aim, recorder, servers, table, worker
from callboard.middleware.broker import Broker

JOBS = 5_000


def main(*, quick: bool) -> None:
    """The proportional set size of one worker process of 8 threads, after its start and after some jobs."""
    jobs = 500 if quick else JOBS
    rows = []
    with servers() as where, recorder(where, "callboard"):
        for kind in ("bare", "callboard"):
            with worker(where, kind, kind) as started:
                fresh = weigh(started)
                work(where, kind, jobs)
                rows.append((kind, fresh, weigh(started)))
    bare, ours = rows
    aim("memory, MB more", max(ours[1] - bare[1], ours[2] - bare[2]), most=20)
    rows.append(("difference", ours[1] - bare[1], ours[2] - bare[2]))
    table(
        "Memory of a worker process, MB (PSS; at most 20 more than bare Dramatiq)",
        ("system", "after its start", f"after {jobs:,} jobs"),
        rows,
    )


def weigh(master: psutil.Process) -> float:
    """MB of the largest child: the process that works."""
    return max(child.memory_full_info().pss for child in master.children(recursive=True)) / 1e6


def work(where: Servers, namespace: str, jobs: int) -> None:
    """Let the worker do something."""
    broker = Broker(url=where.redis_url, namespace=namespace)
    actor = dramatiq.actor(actor_name="noop", queue_name="bench", broker=broker)(lambda: None)
    broker.enqueue_many(actor.message() for _ in range(jobs))
    while broker.client.hlen(f"{namespace}:bench.msgs"):
        time.sleep(0.1)
    broker.close()
