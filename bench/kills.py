"""Worker processes killed in the middle of the load: nothing is missing, and little runs twice."""

import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import psycopg
import redis

from bench.harness import aim, recorder, servers, table, wait_until, worker
from bench.throughput import QUEUE, check_rows, put_aside, put_in_place, wait_for_rows
from callboard.middleware.committer import GROUP

JOBS = 50_000
PROCESSES = 2


def main(*, quick: bool) -> None:
    """Kill every worker process with SIGKILL when a third is done; the master starts new ones."""
    jobs = 20_000 if quick else JOBS
    tally = Path(tempfile.mkstemp(prefix="cb-tally-")[1])
    try:
        with servers() as where, recorder(where, "kills"):
            client = redis.Redis.from_url(where.redis_url)
            put_aside(where.redis_url, client, "kills", jobs, name="tally")
            with worker(where, "callboard", "kills", processes=PROCESSES, BENCH_TALLY=str(tally)) as master:
                put_in_place(client, "kills")
                left = f"kills:{QUEUE}.msgs"
                wait_until(lambda: client.hlen(left) < jobs * 2 / 3, timeout=60, what="a third of the jobs")
                killed = kill(master)
                begun = time.perf_counter()
                wait_for_rows(where.database_url, "tally", jobs)
                seconds = time.perf_counter() - begun
            times = Counter(tally.read_text().split())
            with psycopg.connect(where.database_url) as connection:
                row = connection.execute("SELECT count(*) FROM callboard.runs WHERE job = 'tally'").fetchone()
            check_rows(where.database_url, "tally", jobs)
    finally:
        tally.unlink()
    twice = sum(count - 1 for count in times.values())
    aim("kills, missing", jobs - len(times), most=0)
    aim("kills, executed twice", twice, most=GROUP * killed)
    table(
        f"SIGKILL of {killed} worker processes during {jobs:,} jobs",
        ("", ""),
        [
            ("runs in PostgreSQL", row[0] if row else 0),
            ("missing", jobs - len(times)),
            ("executed twice", twice),
            (f"allowed: one group of {GROUP} a process", GROUP * killed),
            ("s from the kill to the last row (a dead worker is found after 15 s)", seconds),
        ],
    )


def kill(master: psutil.Process) -> int:
    """Kill the processes of a master; returns how many."""
    children = master.children()
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
    return len(children)
