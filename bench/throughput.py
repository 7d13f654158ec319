"""Jobs per second against bare Dramatiq, with every run in PostgreSQL.

Both work on the same server, in turns, on the same number of no-op jobs. The messages are put aside first and
moved into the queue at once when the workers are ready, so neither the workers' start nor the sending counts.
Bare Dramatiq is done when its queue is empty; Callboard when the last row is visible in PostgreSQL.
"""

import statistics
import time
from contextlib import ExitStack
from typing import Any

import dramatiq
import psutil
import psycopg
import redis
from dramatiq.brokers.redis import RedisBroker

from bench.harness import Servers, aim, console, cpu_seconds, recorder, servers, table, wait_until, worker

QUEUE = "bench"
JOBS = 50_000
ROUNDS = 3
THREADS = 8
PARTS = ("worker", "recorder", "PostgreSQL", "Valkey")


def main(*, quick: bool) -> None:
    """Measure one process and two, in turns with bare Dramatiq."""
    jobs, rounds = (20_000, 1) if quick else (JOBS, ROUNDS)
    results: dict[tuple[str, int], list[dict[str, float]]] = {}
    with servers() as where:
        for turn in range(rounds):
            for processes in (1, 2):
                for kind in ("bare", "callboard"):
                    figures = measure(where, kind, processes, jobs, turn)
                    results.setdefault((kind, processes), []).append(figures)
                    console.print(f"  {kind}, {processes} process(es): {figures['rate']:,.0f} jobs/s")
    rows = []
    for (kind, processes), measured in sorted(results.items(), key=lambda item: (item[0][1], item[0][0])):
        median = {name: statistics.median(figures[name] for figures in measured) for name in measured[0]}
        bare = statistics.median(figures["rate"] for figures in results["bare", processes])
        cpu = [f"{median[part]:.3f}" for part in PARTS]
        rows.append((kind, processes, round(median["rate"]), median["rate"] / bare, *cpu))
        if kind != "bare":
            aim(f"throughput, {processes} process(es), x bare", median["rate"] / bare, least=3)
    table(
        f"{jobs:,} no-op jobs, {THREADS} threads, medians of {rounds} (3 x bare); CPU s for 1,000 jobs",
        ("system", "proc.", "jobs/s", "x bare", *PARTS),
        rows,
    )


def measure(where: Servers, kind: str, processes: int, jobs: int, turn: int) -> dict[str, float]:
    """One measurement. Returns `rate` (jobs/s) and the CPU s that 1,000 jobs cost each part."""
    namespace = f"{kind}{processes}x{turn}"
    client = redis.Redis.from_url(where.redis_url)
    put_aside(where.redis_url, client, namespace, jobs)
    with ExitStack() as stack:
        recording: psutil.Process | None = None
        if kind != "bare":
            recording = stack.enter_context(recorder(where, namespace))
        working = stack.enter_context(worker(where, kind, namespace, processes=processes, threads=THREADS))
        measured = {
            "worker": working,
            "recorder": recording,
            "PostgreSQL": where.postgres,
            "Valkey": where.valkey,
        }
        before = {name: cpu_seconds(one) if one else 0.0 for name, one in measured.items()}
        put_in_place(client, namespace)
        waiting = f"{namespace}:{QUEUE}"
        wait_until(lambda: client.llen(waiting) < jobs, timeout=30, what="the first job", every=0.0005)
        begun = time.perf_counter()
        if kind == "bare":
            messages = f"{namespace}:{QUEUE}.msgs"
            wait_until(lambda: client.hlen(messages) == 0, timeout=300, what="the last job")
        else:
            wait_for_rows(where.database_url, "noop", jobs)
        seconds = time.perf_counter() - begun
        used = {name: cpu_seconds(one) - before[name] if one else 0.0 for name, one in measured.items()}
    if kind != "bare":
        check_rows(where.database_url, "noop", jobs)
    return {"rate": jobs / seconds, **{name: seconds / jobs * 1000 for name, seconds in used.items()}}


def put_aside(url: str, client: redis.Redis, namespace: str, jobs: int, name: str = "noop") -> None:
    """Put messages, encoded by Dramatiq itself, under names where no worker looks."""
    broker = RedisBroker(url=url, namespace=namespace)
    actor: Any = dramatiq.actor(actor_name=name, queue_name=QUEUE, broker=broker)(lambda *_: None)
    for start in range(0, jobs, 1000):
        with client.pipeline(transaction=False) as pipeline:
            for number in range(start, min(start + 1000, jobs)):
                message = actor.message(*([number] if name == "tally" else []))
                message = message.copy(options={"redis_message_id": message.message_id})
                pipeline.hset(f"{namespace}:aside.msgs", message.message_id, message.encode())
                pipeline.rpush(f"{namespace}:aside", message.message_id)
            pipeline.execute()


def put_in_place(client: redis.Redis, namespace: str) -> None:
    """Make the messages appear in the queue, all at once."""
    with client.pipeline() as pipeline:
        pipeline.rename(f"{namespace}:aside.msgs", f"{namespace}:{QUEUE}.msgs")
        pipeline.rename(f"{namespace}:aside", f"{namespace}:{QUEUE}")
        pipeline.lpush(f"{namespace}:__wake__.{QUEUE}", *["1"] * 8)
        pipeline.execute()


def wait_for_rows(url: str, job: str, jobs: int, timeout: float = 300) -> None:
    """Wait until all runs are visible; the day's rollup is cheap to ask and is committed with the rows."""
    query = "SELECT coalesce(sum(succeeded), 0) FROM callboard.rollups WHERE width_s = 86400 AND job = %s"
    with psycopg.connect(url, autocommit=True) as connection:

        def all_counted() -> bool:
            row = connection.execute(query, (job,)).fetchone()
            return row is not None and row[0] >= jobs

        wait_until(all_counted, timeout=timeout, what="the last row", every=0.02)


def check_rows(url: str, job: str, jobs: int) -> None:
    """Count the rows themselves, then make room for the next turn.

    Raises:
        AssertionError: a run is missing, or is there twice.
    """
    query = (
        "SELECT count(DISTINCT run_id), count(*) FROM callboard.runs WHERE job = %s AND state = 'succeeded'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query, (job,)).fetchone()
        if row != (jobs, jobs):
            raise AssertionError(f"Of {jobs} runs, PostgreSQL has {row}.")
        connection.execute("TRUNCATE callboard.runs, callboard.rollups, callboard.queue_rollups")
        connection.execute("CHECKPOINT")
