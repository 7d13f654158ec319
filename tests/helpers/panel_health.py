"""Three busy queues for the pages that show health: one healthy, one short of threads, one with no worker.

What ran is put into the rollups, and what waited into the samples, without any runs.
"""

import json
import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb
from redis import Redis

from callboard.core.histogram import histogram
from callboard.core.keys import Keys
from helpers.fleets import add_worker
from helpers.rollups import SUM_SAMPLES

#: For so long the trouble has lasted.
TROUBLE = timedelta(minutes=24)
#: So many weeks are told by the hour; days go back further.
WEEKS = 5
DAYS = 135


@dataclass(frozen=True)
class Busy:
    """A job of a busy queue: runs a minute, what one takes (s) and waits (ms), a share that fails.

    In the trouble there are `rush` times as many runs, and each waits `stuck` times as long.
    """

    name: str
    queue: str
    a_minute: float
    takes_s: float
    waits_ms: float
    failing: float = 0.002
    rush: float = 1.0
    stuck: float = 1.0


BUSY = (
    Busy("deliver-webhook", "webhooks", 16, 0.7, 25, failing=0.012),
    Busy("refresh-tokens", "webhooks", 2, 1.9, 30),
    Busy("index-product", "search", 120, 1.2, 60, stuck=1_700),
    Busy("rebuild-catalogue", "search", 0.5, 46, 80, rush=15, stuck=1_300),
    Busy("export-invoices", "exports", 1.4, 8.5, 40),
)
QUEUES = ("exports", "search", "webhooks")
#: Threads of the worker of each queue; `exports` has none any more.
THREADS = {"search": 8, "webhooks": 4}
#: Rebuilds of the catalogue: every three hours those of five shops, and at night those of seven more.
REBUILDS = {"0 */3 * * *": 5, "0 3 * * *": 7}
#: How much waits now, and is held back.
WAITING = {"search": (228, 31), "exports": (36, 0), "webhooks": (0, 0)}

#: The shares of the wait in which runs are held back by a pause, a mutex and a limit.
HELD = {"search": (0.04, 0.0, 0.24), "webhooks": (0.0, 0.12, 0.0), "exports": (0.0, 0.0, 0.0)}

COLUMNS = (
    "width_s", "bucket", "job", "queue", "started", "succeeded", "failed", "retried", "duration_sum_ms",
    "duration_min_ms", "duration_max_ms", "wait_sum_ms", "wait_max_ms", "duration_hist", "wait_hist",
    "lag_sum_ms", "hand_sum_ms", "last_run_at", "held_pause_ms", "held_mutex_ms", "held_limit_ms",
)  # fmt: skip


@dataclass
class Made:
    """One rollup in the making."""

    ended: int = 0
    failed: int = 0
    took_ms: float = 0
    waited_ms: float = 0
    longest_ms: float = 0
    took: Counter[int] = field(default_factory=Counter)
    waited: Counter[int] = field(default_factory=Counter)


def add_health(url: str, client: Redis, keys: Keys, *, now: datetime | None = None, days: float = 7) -> None:
    """Put all of it into a migrated database and its Redis, with samples of so many days."""
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    with psycopg.connect(url) as connection:
        for job in BUSY:
            connection.execute(
                "INSERT INTO callboard.jobs (name, queue, description, category, source, options)"
                " VALUES (%s, %s, %s, 'traffic', 'busy', '{}')",
                (job.name, job.queue, f"What {job.name} does"),
            )
        shops = [expr for expr, count in REBUILDS.items() for _ in range(count)]
        for number, expr in enumerate(shops, start=1):
            connection.execute(
                "INSERT INTO callboard.schedules (job_name, key, expr, kwargs, origin, checked_until)"
                " VALUES ('rebuild-catalogue', %s, %s, %s, 'operator', %s)",
                (f"shop-{number}", expr, Jsonb({"shop": number}), at),
            )
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY callboard.rollups ({', '.join(COLUMNS)}) FROM STDIN") as stream,
        ):
            for row in rollups(at, random.Random(11)):
                stream.write_row(row)
        connection.execute("SELECT callboard.sum_queue_rollups('-infinity', 'infinity')")
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY callboard.queue_samples (queue, at, depth, oldest_due_ms, in_flight, dead, workers"
                ", slots, busy, parked) FROM STDIN"
            ) as stream,
        ):
            for row in samples(at, random.Random(12), days):
                stream.write_row(row)
        connection.execute(SUM_SAMPLES)
    fill_queues(client, keys)


def forget_health(url: str) -> None:
    """Take it out of the database again."""
    with psycopg.connect(url) as connection:
        for table in ("rollups", "queue_rollups"):
            connection.execute(f"DELETE FROM callboard.{table} WHERE queue = ANY (%s)", (list(QUEUES),))
        for table in ("queue_samples", "queue_sample_hours"):
            connection.execute(f"DELETE FROM callboard.{table}")
        connection.execute("DELETE FROM callboard.schedules WHERE job_name = 'rebuild-catalogue'")
        connection.execute("DELETE FROM callboard.jobs WHERE source = 'busy'")


def rollups(now: datetime, dice: random.Random) -> Iterator[tuple[object, ...]]:
    """The rows of `callboard.rollups`: the last two hours by the minute, weeks by the hour, days."""
    made: dict[tuple[int, datetime, Busy], Made] = defaultdict(Made)
    midnight = now.replace(hour=0, minute=0, second=0)
    hour = now.replace(minute=0, second=0)
    minutes = [hour - timedelta(hours=2) + timedelta(minutes=n) for n in range(120 + now.minute)]
    hours = [hour - timedelta(hours=n) for n in range(3, WEEKS * 168)]
    days = [midnight - timedelta(days=n) for n in range(WEEKS * 7, DAYS)]
    for width, moments in ((60, minutes), (3_600, hours), (86_400, days)):
        for at in moments:
            for job in BUSY:
                one = _made(job, at, width, now, dice)
                for wider in (60, 3_600, 86_400):
                    if wider >= width:
                        _add(made[wider, _floor(at, wider), job], one)
    for (width, at, job), one in made.items():
        if one.ended:
            yield (
                width, at, job.name, job.queue, one.ended, one.ended - one.failed, one.failed,
                one.failed // 2, round(one.took_ms), 1, round(one.longest_ms), round(one.waited_ms),
                round(4 * job.waits_ms), _array(one.took), _array(one.waited), one.ended * 11,
                round(min(0.5 * one.waited_ms, one.ended * 8)), at,
                *(round(share * one.waited_ms) or None for share in HELD[job.queue]),
            )  # fmt: skip


def _made(job: Busy, at: datetime, width: int, now: datetime, dice: random.Random) -> Made:
    """What one job did in one bucket."""
    amiss = now - at <= TROUBLE and width == 60
    day = 1 + 0.45 * math.sin((at.hour - 8) / 24 * 2 * math.pi) * (width < 86_400)
    weekend = 0.55 if at.weekday() >= 5 else 1.0
    usual = job.a_minute * width / 60 * day * weekend
    expected = usual * (job.rush if amiss else 1.0)
    if job.queue == "exports" and now - at <= TROUBLE:
        expected = 0.0
    one = Made(ended=max(0, round(dice.gauss(expected, math.sqrt(expected + 0.01) * 0.8))))
    if not one.ended:
        return one
    one.failed = sum(dice.random() < job.failing for _ in range(min(one.ended, 400)))
    one.failed = round(one.failed * max(1, one.ended / 400))
    slow = job.stuck * min(1.0, 0.1 + (1 - (now - at) / TROUBLE)) if amiss else 1.0
    some = min(one.ended, 24)
    took = [job.takes_s * 1000 * dice.lognormvariate(0, 0.35) for _ in range(some)]
    waited = [job.waits_ms * max(1.0, slow) * dice.lognormvariate(0, 0.5) for _ in range(some)]
    share = one.ended / some
    one.took_ms, one.waited_ms, one.longest_ms = sum(took) * share, sum(waited) * share, max(took)
    one.took, one.waited = _counted(took, one.ended), _counted(waited, one.ended)
    return one


def _counted(some: list[float], ended: int) -> Counter[int]:
    """The histogram of some of the runs, as large as if it were of all."""
    found = {place: count for place, count in enumerate(histogram(some)) if count}
    counted = Counter({place: count * ended // len(some) for place, count in found.items()})
    counted[max(found, key=lambda place: found[place])] += ended - counted.total()
    return counted


def _add(sum_: Made, one: Made) -> None:
    sum_.ended += one.ended
    sum_.failed += one.failed
    sum_.took_ms += one.took_ms
    sum_.waited_ms += one.waited_ms
    sum_.longest_ms = max(sum_.longest_ms, one.longest_ms)
    sum_.took.update(one.took)
    sum_.waited.update(one.waited)


def _floor(at: datetime, width: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width, UTC)


def _array(counts: Counter[int]) -> list[int]:
    return [counts[place] for place in range(max(counts) + 1)]


def samples(now: datetime, dice: random.Random, days: float) -> Iterator[tuple[object, ...]]:
    """The rows of `callboard.queue_samples`, one every ten seconds."""
    end = _floor(now, 10)
    for number in range(int(days * 8_640)):
        at = end - timedelta(seconds=10 * number)
        ago = (now - at) / TROUBLE
        for queue in QUEUES:
            waiting, parked = WAITING[queue]
            grown = max(0.0, 1 - ago) if waiting else 0.0
            noon = 1 + math.sin((at.hour - 8) / 24 * 2 * math.pi)
            noise = int(dice.expovariate(0.6) * noon)
            depth = round(waiting * grown**1.15) + noise
            served = THREADS.get(queue, 0 if grown else 2)
            busy = min(served, 8 if grown else 1 + int(dice.random() * 3 * noon))
            yield (
                queue, at, depth, round(95_000 * grown) + noise * 40, busy, 0, int(served > 0), served,
                busy, round(parked * grown),
            )  # fmt: skip


def fill_queues(client: Redis, keys: Keys) -> None:
    """What waits now, and the workers that are there, which do not fall silent."""
    now_ms = round(time.time() * 1000)
    add_worker(client, keys, "rest", host="stage-4", silence_s=-3_600, queues=["default", "mail", "sync"])
    for queue, (waiting, parked) in WAITING.items():
        names = [f"{queue}-{number}" for number in range(waiting)]
        if names:
            client.rpush(keys.queue(queue), *names)
            due = now_ms - (95_000 if queue == "search" else 1_430_000)
            client.hset(keys.messages(queue), names[0], json.dumps({"message_timestamp": due}))
        if parked:
            client.hset(keys.parked, queue, parked)
        if queue in THREADS:
            worker, threads = f"{queue}-worker", THREADS[queue]
            add_worker(client, keys, worker, host=queue, silence_s=-3_600, threads=threads, queues=[queue])
            taken = 8 if queue == "search" else 2
            client.sadd(keys.acks(worker, queue), *(f"taken-{number}" for number in range(taken)))
