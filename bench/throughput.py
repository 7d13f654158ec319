"""Jobs per second against bare Dramatiq, with every run in PostgreSQL.

Both work on the same server, in turns, on the same number of no-op jobs. The messages are put aside first and
moved into the queue at once when the workers are ready, so neither the workers' start nor the sending counts.
Bare Dramatiq is done when its queue is empty; Callboard when the last row is visible in PostgreSQL.
"""

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from typing import Any

import dramatiq
import psutil
import psycopg
import redis
from dramatiq.brokers.redis import RedisBroker
from harness import Servers, console, cpu_seconds, process, servers, table, wait_until

QUEUE = "bench"
SETTINGS = "from callboard.core.settings import load_settings; "
RECORDER = SETTINGS + "from callboard.storage.recorder import run; run(load_settings())"
WORKER = SETTINGS + (
    "from callboard.worker.process import run; run(load_settings(), processes={processes}, threads={threads})"
)


def measure(where: Servers, kind: str, processes: int, threads: int, jobs: int, turn: int) -> dict[str, float]:
    """One measurement. Returns `rate` (jobs/s), `worker` and `recorder` (CPU s for 1,000 jobs)."""
    namespace = f"{kind}{processes}x{turn}"
    client = redis.Redis.from_url(where.redis_url)
    put_aside(where.redis_url, client, namespace, jobs)
    environment = where.environment(
        BENCH_BROKER=kind, CALLBOARD_NAMESPACE=namespace, CALLBOARD_ACTORS="noop_jobs"
    )
    size = ["--processes", str(processes), "--threads", str(threads)]
    with ExitStack() as stack:
        recorder: psutil.Process | None = None
        if kind == "bare":
            command = ["-m", "dramatiq", "noop_jobs", *size, "--queues", QUEUE]
        else:
            command = ["-c", WORKER.format(processes=processes, threads=threads)]
            recorder = stack.enter_context(process(["-c", RECORDER], environment))
        worker = stack.enter_context(process(command, environment))
        heartbeats = f"{namespace}:__heartbeats__"
        wait_until(lambda: client.zcard(heartbeats) >= processes, timeout=60, what="the workers")
        time.sleep(2.0)
        before = cpu_seconds(worker), cpu_seconds(recorder) if recorder else 0.0
        put_in_place(client, namespace)
        waiting = f"{namespace}:{QUEUE}"
        wait_until(lambda: client.llen(waiting) < jobs, timeout=30, what="the first job", every=0.0005)
        begun = time.perf_counter()
        if kind == "bare":
            messages = f"{namespace}:{QUEUE}.msgs"
            wait_until(lambda: client.hlen(messages) == 0, timeout=300, what="the last job")
        else:
            wait_for_rows(where.database_url, namespace, jobs)
        seconds = time.perf_counter() - begun
        used = cpu_seconds(worker) - before[0], cpu_seconds(recorder) - before[1] if recorder else 0.0
    if kind != "bare":
        check_rows(where.database_url, jobs)
    return {"rate": jobs / seconds, "worker": used[0] / jobs * 1000, "recorder": used[1] / jobs * 1000}


def put_aside(url: str, client: redis.Redis, namespace: str, jobs: int) -> None:
    """Put messages, encoded by Dramatiq itself, under names where no worker looks."""
    broker = RedisBroker(url=url, namespace=namespace)
    actor: Any = dramatiq.actor(actor_name="noop", queue_name=QUEUE, broker=broker)(lambda: None)
    for start in range(0, jobs, 1000):
        with client.pipeline(transaction=False) as pipeline:
            for _ in range(start, min(start + 1000, jobs)):
                message = actor.message()
                message = message.copy(options={"redis_message_id": message.message_id})
                pipeline.hset(f"{namespace}:aside.msgs", message.message_id, message.encode())
                pipeline.rpush(f"{namespace}:aside", message.message_id)
            pipeline.execute()


def put_in_place(client: redis.Redis, namespace: str) -> None:
    """Make the messages appear in the queue, all at once."""
    with client.pipeline() as pipeline:
        pipeline.rename(f"{namespace}:aside.msgs", f"{namespace}:{QUEUE}.msgs")
        pipeline.rename(f"{namespace}:aside", f"{namespace}:{QUEUE}")
        pipeline.execute()


def wait_for_rows(url: str, namespace: str, jobs: int) -> None:
    """Wait until all runs are visible; the day's rollup is cheap to ask and committed with the rows."""
    del namespace
    with psycopg.connect(url, autocommit=True) as connection:

        def counted() -> bool:
            row = connection.execute(
                "SELECT coalesce(sum(succeeded), 0) FROM callboard.rollups WHERE width_s = 86400 AND job = 'noop'"
            ).fetchone()
            return row is not None and row[0] >= jobs

        wait_until(counted, timeout=300, what="the last row")


def check_rows(url: str, jobs: int) -> None:
    """Count the rows themselves, then make room for the next turn."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT run_id), count(*) FROM callboard.runs WHERE job = 'noop' AND state = 'succeeded'"
        ).fetchone()
        if row != (jobs, jobs):
            raise AssertionError(f"Of {jobs} runs, PostgreSQL has {row}.")
        connection.execute("TRUNCATE callboard.runs, callboard.rollups")
        connection.execute("CHECKPOINT")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    results: dict[tuple[str, int], list[dict[str, float]]] = {}
    with servers() as where:
        for turn in range(arguments.rounds):
            for processes in (1, 2):
                for kind in ("bare", "callboard"):
                    figures = measure(where, kind, processes, arguments.threads, arguments.jobs, turn)
                    results.setdefault((kind, processes), []).append(figures)
                    console.print(f"  {kind}, {processes} process(es): {figures['rate']:,.0f} jobs/s")
    rows = []
    for (kind, processes), measured in sorted(results.items(), key=lambda item: (item[0][1], item[0][0])):
        median = {name: statistics.median(figures[name] for figures in measured) for name in measured[0]}
        bare = statistics.median(figures["rate"] for figures in results["bare", processes])
        rows.append(
            (kind, processes, round(median["rate"]), median["rate"] / bare, median["worker"], median["recorder"])
        )
    table(
        f"{arguments.jobs:,} no-op jobs, {arguments.threads} threads, medians of {arguments.rounds}",
        ("system", "processes", "jobs/s", "x bare", "worker CPU s / 1,000", "recorder CPU s / 1,000"),
        rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
