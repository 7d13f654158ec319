"""From the finish of a job to its row in the view `cron_job_logs`."""

import time

import dramatiq
import psycopg

from bench.harness import aim, percentile, recorder, servers, table, wait_until, worker
from callboard.middleware.broker import Broker

SINGLE = 100
LOAD_RATE = 1_000
LOAD_SECONDS = 10

_SEEN = "SELECT completed_at FROM cron_job_logs WHERE id = %s AND status = 'completed'"


def main(*, quick: bool) -> None:
    """One job at a time, then every tenth of a second one among a thousand a second."""
    with servers() as where, recorder(where, "visible"), worker(where, "callboard", "visible"):
        broker = Broker(url=where.redis_url, namespace="visible")
        actor = dramatiq.actor(actor_name="noop", queue_name="bench", broker=broker)(lambda: None)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            single = [watch(connection, actor.send().message_id) for _ in range(20 if quick else SINGLE)]
            loaded = []
            for _ in range(20 if quick else LOAD_SECONDS * 10):
                begun = time.monotonic()
                messages = [actor.message() for _ in range(LOAD_RATE // 10)]
                broker.enqueue_many(messages)
                loaded.append(watch(connection, messages[-1].message_id))
                time.sleep(max(0.0, begun + 0.1 - time.monotonic()))
        broker.close()
    aim("visible, p99 ms", percentile([*single, *loaded], 0.99), most=500)
    table(
        "From finish to visible in cron_job_logs, ms (p99 under 500)",
        ("", "p50", "p99", "worst"),
        [
            (words, percentile(values, 0.5), percentile(values, 0.99), max(values))
            for words, values in (("idle", single), (f"{LOAD_RATE:,} jobs/s", loaded))
        ],
    )


def watch(connection: psycopg.Connection, run_id: str) -> float:
    """The ms between a run's end and the moment when the view shows it."""
    found = []

    def shown() -> bool:
        row = connection.execute(_SEEN, (run_id,)).fetchone()
        if row is not None:
            found.append(row[0])
        return row is not None

    wait_until(shown, timeout=30, what="the row", every=0.002)
    return (time.time() - found[0].timestamp()) * 1000
