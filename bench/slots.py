"""From a slot's instant to its message in Redis: 1,000 schedules due in the same second, one scheduler.

The scheduler is a process of its own, on a PostgreSQL that commits to the disk. An onlooker asks Redis for
the queue's length every half millisecond; a message counts as enqueued when an answer shows it. Stock
Periodiq, which knows whole minutes only and records nothing, is measured the same way in the same run.
"""

import time
from collections.abc import Sequence

import psutil
import redis
from sqlalchemy import text

from bench.harness import Servers, aim, console, cpu_seconds, percentile, process, servers, table
from callboard.core.keys import Keys
from callboard.storage.engine import make_engine

SCHEDULES = 1_000
#: Seconds between two slots, and how many instants are measured.
EVERY = 3
ROUNDS = 20
#: Instants of stock Periodiq; each takes a minute.
STOCK_ROUNDS = 2
#: Instants left out at first: those of a scheduler that has just begun.
WARMING = 2
COLUMNS = ("scheduler", "first", "p50", "p99", "last", "p50 of the last", "CPU s / 1,000 slots")


def main(*, quick: bool) -> None:
    """Measure Callboard's scheduler, then stock Periodiq."""
    with servers() as where:
        rounds, cpu = callboard(where, 5 if quick else ROUNDS)
        check(where)
        rows = [row("callboard", rounds, cpu)]
        aim("slots, p99 ms", percentile([ms for one in rounds for ms in one], 0.99), most=50)
        if not quick:
            rows.append(row("periodiq", *stock(where, STOCK_ROUNDS)))
    table(f"From slot to enqueue, ms: {SCHEDULES:,} schedules due in the same second", COLUMNS, rows)


def callboard(where: Servers, rounds: int) -> tuple[list[list[float]], float]:
    """Measure Callboard's scheduler. Returns the ms of each message by round, and CPU s for 1,000 slots."""
    engine = make_engine(where.database_url)
    with engine.begin() as connection:
        values = {"count": SCHEDULES, "expr": f"*/{EVERY} * * * * *"}
        connection.execute(
            text(
                "INSERT INTO callboard.jobs (name, source)"
                " SELECT 'job-' || n, 'bench' FROM generate_series(1, :count) n"
            ),
            values,
        )
        connection.execute(
            text(
                "INSERT INTO callboard.schedules (job_name, key, expr)"
                " SELECT 'job-' || n, 'bench', :expr FROM generate_series(1, :count) n"
            ),
            values,
        )
    engine.dispose()
    environment = where.environment(CALLBOARD_NAMESPACE="slots")
    with process(["-m", "callboard.cli.main", "scheduler"], environment) as scheduler:
        return watch(where, "slots", scheduler, EVERY, rounds, WARMING)


def stock(where: Servers, rounds: int) -> tuple[list[list[float]], float]:
    """Measure stock Periodiq the same way."""
    environment = where.environment(CALLBOARD_NAMESPACE="stock", BENCH_SCHEDULES=str(SCHEDULES))
    with process(
        ["-c", "import periodiq; periodiq.entrypoint()", "bench.periodic"], environment
    ) as scheduler:
        return watch(where, "stock", scheduler, 60, rounds, 0)


def watch(
    where: Servers, namespace: str, scheduler: psutil.Process, every: int, rounds: int, warming: int
) -> tuple[list[list[float]], float]:
    """Measure a scheduler that has just been started."""
    client = redis.Redis.from_url(where.redis_url)
    queue = Keys(namespace).queue("default")
    # Whatever is sent between two instants, because the scheduler has begun, is none of them.
    found: list[list[float]] = []
    cpu, missed = 0.0, 0
    while len(found) < warming + rounds:
        time.sleep(every - time.time() % every - min(0.05, every / 10))
        client.delete(queue, f"{queue}.msgs")
        if len(found) == warming:
            cpu = cpu_seconds(scheduler)
        arrived = arrivals(client, queue, every)
        missed = 0 if arrived is not None else missed + 1
        if arrived is not None:
            found.append(arrived)
        elif missed > 3:
            raise TimeoutError(f"The scheduler of {namespace} does not send its {SCHEDULES:,} messages.")
    spent = cpu_seconds(scheduler) - cpu
    client.close()
    return found[warming:], spent / rounds / SCHEDULES * 1000


def arrivals(client: redis.Redis, queue: str, every: int) -> list[float] | None:
    """The ms from the coming instant to each of its messages; None where they have not all come in time."""
    instant = time.time() // every * every + every
    arrived: list[float] = []
    while len(arrived) < SCHEDULES:
        now = time.time()
        if now > instant + every * 0.9:
            return None
        length = client.llen(queue)
        answered = time.time()
        arrived += [(answered - instant) * 1000] * (length - len(arrived))  # type: ignore[operator]
        time.sleep(0.0005)
    return arrived


def row(name: str, rounds: Sequence[Sequence[float]], cpu: float) -> tuple[object, ...]:
    """The figures of one scheduler over all rounds."""
    everything = [ms for one in rounds for ms in one]
    last = [one[-1] for one in rounds]
    return (
        *(name, min(everything), percentile(everything, 0.5), percentile(everything, 0.99), max(last)),
        *(percentile(last, 0.5), cpu),
    )


def check(where: Servers) -> None:
    """Assert that each slot was claimed once and all were sent."""
    engine = make_engine(where.database_url)
    with engine.begin() as connection:
        unsent = connection.execute(text("SELECT count(*) FROM callboard.outbox")).scalar_one()
        slots, runs = connection.execute(
            text("SELECT count(*), count(DISTINCT run_id) FROM callboard.occurrences")
        ).one()
    engine.dispose()
    console.print(f"  {slots:,} slots claimed, {runs:,} runs, {unsent} unsent")
    assert unsent == 0
    assert slots == runs
