"""Histories of queues with known causes of trouble, from a seed.

Each is a queue that is played through: runs arrive at random, wait for one of a few threads, take their time,
fail and come again. What a recorder and a scheduler would have written down of it is counted by the
recorder's own code, and the facts are those that the health of a real queue is judged by.
"""

import heapq
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from callboard.core.health import Facts, find_bottlenecks
from callboard.core.histogram import merge
from callboard.core.holds import CAUSES as HOLDS
from callboard.storage.queue_facts import facts_of
from callboard.storage.recorder.rollup import COUNTED, ROLLUP_COLUMNS, Counts, rollup_rows
from callboard.storage.samples import Sample

#: Who shares the threads where they are shared, and for how long (s) a trouble lasts that is long.
OTHER = "other"
LONG_S = 10_800
CAUSES = ("slow_dependency", "capacity", "retry_storm", "noisy_neighbour", "burst", "no_consumer", "none")
#: The causes that are played in other settings: a trouble of three hours, one of workers that serve another
#: queue too, and one of a system of which no hour before is known.
SETTINGS = {
    "three hours": ("slow_dependency", "capacity", "noisy_neighbour", "none"),
    "shared workers": ("slow_dependency", "capacity", "noisy_neighbour", "none"),
    "fresh install": ("capacity", "retry_storm", "no_consumer", "none"),
}
QUEUE = "default"
#: Seconds that the queue does well in before the trouble begins, and the window that is judged.
USUAL_S = 1_500
WINDOW_S = 900
#: Attempts at most, and the seconds before each but the first.
ATTEMPTS = 5
BACKOFF_S = (2, 4, 8, 16)
HISTOGRAMS = ("duration_hist", "wait_hist")
#: The trouble begins on the hour, and the hours before it were all alike.
TROUBLE = datetime(2026, 3, 2, 7, tzinfo=UTC)
BEGIN = TROUBLE - timedelta(seconds=USUAL_S)
HOURS = 23


@dataclass(frozen=True)
class Load:
    """What a queue has to do, by job: runs a second, seconds that one takes; and a share that fails."""

    rates: dict[str, float]
    means: dict[str, float]
    threads: int
    failing: float

    @property
    def demand(self) -> float:
        """The threads' time that it takes, as a share of what there is, without retries."""
        return sum(self.rates[job] * self.means[job] for job in self.rates) / self.threads


@dataclass(frozen=True)
class Attempt:
    """One execution, in seconds since the beginning; `again` where another follows."""

    job: str
    number: int
    ready: float
    started: float
    finished: float
    failed: bool
    again: bool


def history(chance: random.Random, cause: str, setting: str = "") -> Facts:
    """The facts of a queue with three to five jobs, at the end of a while of that trouble."""
    usual = usual_load(chance)
    troubled = TROUBLES[cause](chance, usual)
    lasts = LONG_S if setting == "three hours" else chance.uniform(780, 1_500)
    end = USUAL_S + lasts
    shared = elsewhere(usual, troubled) if setting == "shared workers" else frozenset()
    attempts = play(chance, usual, troubled, end)
    known = {"three hours": chance.choice((2, 4, HOURS)), "fresh install": 0}.get(setting, HOURS)
    return observed(attempts, troubled, end, shared, known)


def elsewhere(usual: Load, troubled: Load) -> frozenset[str]:
    """The job of another queue, where there is one: it is the one that makes the trouble, if one does."""
    changed = [
        job
        for job in usual.rates
        if (usual.rates[job], usual.means[job]) != (troubled.rates[job], troubled.means[job])
    ]
    return frozenset(changed[:1] or list(usual.rates)[:1])


def usual_load(chance: random.Random) -> Load:
    """A queue that does well."""
    threads = chance.randint(5, 10)
    jobs = [f"job-{number}" for number in range(chance.randint(3, 5))]
    means = {job: chance.lognormvariate(1.1, 0.4) for job in jobs}
    shares = {job: chance.uniform(0.8, 1.2) for job in jobs}
    load = chance.uniform(0.3, 0.6)
    whole = sum(shares.values())
    rates = {job: load * threads * shares[job] / whole / means[job] for job in jobs}
    return Load(rates, means, threads, chance.uniform(0, 0.03))


def _slow(chance: random.Random, usual: Load) -> Load:
    job = chance.choice(list(usual.rates))
    own = usual.rates[job] * usual.means[job] / usual.threads
    factor = 1 + (chance.uniform(1.3, 2.2) - usual.demand) / own
    return replace(usual, means=usual.means | {job: usual.means[job] * factor})


def _noisy(chance: random.Random, usual: Load) -> Load:
    job = chance.choice(list(usual.rates))
    own = usual.rates[job] * usual.means[job] / usual.threads
    factor = 1 + (chance.uniform(1.4, 2.2) - usual.demand) / own
    return replace(usual, rates=usual.rates | {job: usual.rates[job] * factor})


def _few_threads(chance: random.Random, usual: Load) -> Load:
    left = usual.demand * usual.threads / chance.uniform(1.25, 1.8)
    return replace(usual, threads=max(1, math.floor(left)))


def _retries(chance: random.Random, usual: Load) -> Load:
    return replace(usual, failing=chance.uniform(0.75, 0.95))


def _burst(chance: random.Random, usual: Load) -> Load:
    factor = max(2.6, chance.uniform(1.3, 2.2) / usual.demand)
    return replace(usual, rates={job: rate * factor for job, rate in usual.rates.items()})


def _nobody(chance: random.Random, usual: Load) -> Load:
    return replace(usual, threads=0)


def _none(chance: random.Random, usual: Load) -> Load:
    drift = chance.uniform(0.85, 1.15)
    return replace(usual, rates={job: rate * drift for job, rate in usual.rates.items()})


TROUBLES: dict[str, Callable[[random.Random, Load], Load]] = {
    "slow_dependency": _slow,
    "capacity": _few_threads,
    "retry_storm": _retries,
    "noisy_neighbour": _noisy,
    "burst": _burst,
    "no_consumer": _nobody,
    "none": _none,
}


def play(chance: random.Random, usual: Load, troubled: Load, end: float) -> list[Attempt]:
    """Every attempt that became ready before the end; what never started does so at infinity."""
    waiting = [
        (at, number, job, 1) for number, (at, job) in enumerate(arrivals(chance, usual, troubled, end))
    ]
    heapq.heapify(waiting)
    free = [0.0] * usual.threads
    heapq.heapify(free)
    load, number = usual, len(waiting)
    found = []
    while waiting:
        ready, _, job, attempt = heapq.heappop(waiting)
        started = max(ready, free[0]) if free else math.inf
        if started >= USUAL_S and load is usual:
            load, free = troubled, sorted(free)[: troubled.threads]
            free += [USUAL_S] * (troubled.threads - len(free))
            started = max(ready, free[0]) if free else math.inf
        if started == math.inf:
            found.append(Attempt(job, attempt, ready, started, math.inf, failed=False, again=False))
            continue
        finished = started + load.means[job] * chance.lognormvariate(-0.125, 0.5)
        failed = chance.random() < load.failing
        again = failed and attempt < ATTEMPTS
        found.append(Attempt(job, attempt, ready, started, finished, failed, again))
        heapq.heapreplace(free, finished)
        back = finished + BACKOFF_S[attempt - 1] if again else math.inf
        if back < end:
            number += 1
            heapq.heappush(waiting, (back, number, job, attempt + 1))
    return found


def arrivals(chance: random.Random, usual: Load, troubled: Load, end: float) -> Iterable[tuple[float, str]]:
    """When runs of which job arrive, at random, at the usual rates and then at those of the trouble."""
    for job in usual.rates:
        at = chance.expovariate(usual.rates[job])
        while at < USUAL_S:
            yield at, job
            at += chance.expovariate(usual.rates[job])
        at = USUAL_S + chance.expovariate(troubled.rates[job])
        while at < end:
            yield at, job
            at += chance.expovariate(troubled.rates[job])


def observed(attempts: list[Attempt], load: Load, end: float, shared: frozenset[str], known: int) -> Facts:
    """What is known of it in the end, by the rollups and samples that it left.

    The jobs in `shared` are another queue's; of so many hours before the trouble something is `known`.
    """
    now = BEGIN + timedelta(seconds=end)
    start = (now - timedelta(seconds=WINDOW_S)).replace(second=0, microsecond=0)
    own = [each for each in attempts if each.job not in shared]
    others = [each for each in attempts if each.job in shared]
    rows = {queue: minutes(of, end) for queue, of in ((QUEUE, own), (OTHER, others))}
    last = sample(own, load, end)
    first = sample(own, load, (start - BEGIN).total_seconds())
    oldest = start - timedelta(seconds=WINDOW_S)
    waits = {"since": waiting_since(own, end) if last.depth else None}
    return facts_of(
        replace(last, shares={OTHER: 1.0} if shared else {}),
        now,
        start,
        {queue: [row for row in found if row["bucket"] >= oldest] for queue, found in rows.items()},
        {queue: hours(found, start.replace(minute=0), known) for queue, found in rows.items()},
        {"first_at": start, "first_depth": first.depth, "first_dead": first.dead, **waits},
        (),
    )


def hours(rows: list[dict[str, Any]], until: datetime, known: int) -> list[dict[str, Any]]:
    """The rollups by the hour until then: of the hours alike that are known, and of those of the trouble."""
    cells: dict[tuple[datetime, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[row["bucket"].replace(minute=0), row["job"]].append(row)
    found = []
    for (hour, job), of_hour in cells.items():
        usual = hour < TROUBLE
        times = 3_600 / USUAL_S if usual else 1
        one = {
            "job": job,
            "finished": round(times * sum(row["finished"] for row in of_hour)),
            "busy_ms": times * sum(row["busy_ms"] for row in of_hour),
            "duration_hist": [
                round(times * counted) for counted in merge(*(row["duration_hist"] for row in of_hour))
            ],
        }
        alike = [hour - timedelta(hours=before) for before in range(known if usual else 1)]
        found += [{**one, "bucket": at} for at in alike if at < until]
    return sorted(found, key=lambda row: row["bucket"])


def waiting_since(attempts: list[Attempt], end: float) -> datetime:
    """Since when something has waited without a break."""
    since, covered = end, -1.0
    for each in sorted(attempts, key=lambda each: each.ready):
        if each.started > each.ready:
            if each.ready >= covered:
                since = each.ready
            covered = max(covered, each.started)
    return BEGIN + timedelta(seconds=since)


def sample(attempts: list[Attempt], load: Load, at: float) -> Sample:
    """How the queue stands at a moment."""
    due = [each.ready for each in attempts if each.ready <= at < each.started]
    running = sum(each.started <= at < each.finished for each in attempts)
    gone = sum(each.failed and not each.again and each.finished <= at for each in attempts)
    oldest = round((at - min(due)) * 1000) if due else 0
    workers = math.ceil(load.threads / 4)
    return Sample(QUEUE, len(due), 0, oldest, running, gone, workers, load.threads, running, None)


def minutes(attempts: list[Attempt], end: float) -> list[dict[str, Any]]:
    """The rollups by the minute, as the health of queues reads them."""
    rows, _ = rollup_rows(_counts(each) for each in attempts if each.finished <= end)
    return [_row(dict(zip(ROLLUP_COLUMNS, row, strict=True))) for row in rows if row[0] == 60]


def _counts(each: Attempt) -> Counts:
    state = "pending" if each.again else "failed" if each.failed else "succeeded"
    begin = round(BEGIN.timestamp() * 1000)
    started, finished = round(begin + each.started * 1000), round(begin + each.finished * 1000)
    wait = round((each.started - each.ready) * 1000) if each.number == 1 else None
    return Counts(each.job, QUEUE, state, each.number, started, finished, finished - started, wait)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    counted = {name: row[name] for name in COUNTED}
    histograms = {name: [int(each) for each in row[name][1:-1].split(",") if each] for name in HISTOGRAMS}
    return {
        "job": row["job"],
        "bucket": datetime.fromtimestamp(row["bucket"], UTC),
        "started": counted["started"],
        "finished": counted["succeeded"] + counted["failed"] + counted["dead"],
        "failed": counted["failed"] + counted["dead"],
        "retried": counted["retried"],
        "busy_ms": float(row["busy_sum_ms"]),
        "waited_ms": float(row["wait_sum_ms"]),
        **{f"held_{cause}_ms": 0.0 for cause in HOLDS},
        **histograms,
    }


def verdicts(
    seed: int, count: int = 200, causes: tuple[str, ...] = CAUSES, setting: str = ""
) -> Counter[tuple[str, str]]:
    """How often each verdict was given for each true cause."""
    table: Counter[tuple[str, str]] = Counter()
    for number in range(count):
        cause = causes[number % len(causes)]
        found = find_bottlenecks(history(random.Random(seed * 100_000 + number), cause, setting))
        table[cause, found[0].cause if found else "none"] += 1
    return table


def confusion(table: Counter[tuple[str, str]]) -> list[tuple[str, int, int, str]]:
    """One row a cause: how many histories, how many were named rightly, what the others were taken for."""
    rows = []
    for cause in CAUSES:
        total = sum(times for (truth, _), times in table.items() if truth == cause)
        wrong = [
            f"{said} {times}" for (truth, said), times in sorted(table.items()) if truth == cause != said
        ]
        if total:
            rows.append((cause, total, table[cause, cause], ", ".join(wrong)))
    return rows
