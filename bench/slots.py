"""From a slot's instant to its message in Redis: 1,000 schedules due in the same second, one scheduler.

    python bench/slots.py [--schedules 1000] [--rounds 20] [--every 3]

Starts servers of its own (PostgreSQL with its shipped durability, Valkey with its append-only file) and one
scheduler as a process of its own. An onlooker asks Redis for the queue's length every half millisecond; a message
counts as enqueued when the answer to that question shows it. Prints the milliseconds of the first, the median, the
99th in a hundred and the last message after their slot, over all rounds, and of the last message alone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis
from sqlalchemy import text

from callboard.core.keys import Keys
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import make_engine
from callboard.storage.migrate import migrate

NAMESPACE = "bench-slots"
RUN = "from callboard.core.settings import load_settings; from callboard.scheduler.process import run; run(load_settings())"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--every", type=int, default=3, help="seconds between two slots")
    parser.add_argument("--schedulers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with EmbeddedServers(Path(folder) / "home") as servers:
            assert servers.postgres is not None
            assert servers.valkey is not None
            measure(servers.postgres.url, servers.valkey.url, options)


def measure(database_url: str, redis_url: str, options: argparse.Namespace) -> None:
    migrate(database_url)
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO callboard.jobs (name, source) SELECT 'job-' || n, 'bench' FROM generate_series(1, :n) n"),
            {"n": options.schedules},
        )
        connection.execute(
            text(
                "INSERT INTO callboard.schedules (job_name, key, expr)"
                " SELECT 'job-' || n, 'bench', :expr FROM generate_series(1, :n) n"
            ),
            {"n": options.schedules, "expr": f"*/{options.every} * * * * *"},
        )
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CALLBOARD_NAMESPACE": NAMESPACE,
    }
    schedulers = [
        subprocess.Popen([sys.executable, "-c", RUN], env=environment) for _ in range(options.schedulers)
    ]
    try:
        times = [time.process_time()]
        rounds = watch(redis_url, options)
        times.append(time.process_time())
    finally:
        for scheduler in schedulers:
            scheduler.terminate()
        for scheduler in schedulers:
            scheduler.wait(10)
    report(rounds, options)
    with engine.begin() as connection:
        count, distinct = connection.execute(
            text("SELECT count(*), count(DISTINCT (schedule_id, due_at)) FROM callboard.occurrences")
        ).one()
        unsent = connection.execute(text("SELECT count(*) FROM callboard.outbox")).scalar_one()
    print(f"occurrences {count}, distinct {distinct}, unsent {unsent}")
    engine.dispose()


def watch(redis_url: str, options: argparse.Namespace) -> list[list[float]]:
    """For each round, the ms from the slot to each message, in the order of arrival."""
    client = redis.Redis.from_url(redis_url)
    queue = Keys(NAMESPACE).queue("default")
    rounds: list[list[float]] = []
    seen = 0
    while len(rounds) < options.rounds + 2:
        length = client.llen(queue)
        now = time.time()
        if length > seen:
            slot = now - now % options.every
            if not rounds or len(rounds[-1]) >= options.schedules:
                rounds.append([])
            rounds[-1] += [(now - slot) * 1000] * (length - seen)
            seen = length
        if rounds and len(rounds[-1]) >= options.schedules and seen:
            client.delete(queue, f"{queue}.msgs")
            seen = 0
            if len(rounds) == options.rounds + 2:
                break
            # Asleep, so that the onlooker costs nothing until shortly before the next slot.
            time.sleep(max(0.0, options.every - time.time() % options.every - 0.01))
        time.sleep(0.0005)
    # The first rounds are those of a scheduler that is just starting.
    return rounds[2:]


def report(rounds: list[list[float]], options: argparse.Namespace) -> None:
    everything = sorted(ms for one in rounds for ms in one)
    last = sorted(one[-1] for one in rounds)
    print(f"{options.schedules} schedules in the same second, {len(rounds)} rounds, {options.schedulers} scheduler(s)")
    print(
        f"slot to enqueue, ms: first {everything[0]:.1f}, p50 {percentile(everything, 0.5):.1f},"
        f" p99 {percentile(everything, 0.99):.1f}, last {everything[-1]:.1f}"
    )
    print(f"the last message of a round, ms: p50 {percentile(last, 0.5):.1f}, worst {last[-1]:.1f}")


def percentile(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


if __name__ == "__main__":
    main()
