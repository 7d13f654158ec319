"""Synthetic histories of queues with known causes, from a seed."""

import random
from collections import Counter

from callboard.core.health import Facts, JobFacts, find_bottlenecks

CAUSES = ("slow_dependency", "capacity", "retry_storm", "noisy_neighbour", "burst", "no_consumer", "none")
WINDOW_S = 900.0


def history(random_: random.Random, cause: str) -> Facts:
    """A window of a queue with two to five jobs, noise in every figure, and that cause of trouble."""
    slots = random_.choice((8, 16, 32))
    load = random_.uniform(0.3, 0.6)
    names = [f"job-{number}" for number in range(random_.randint(3, 5))]
    mean = {name: random_.lognormvariate(-1, 0.5) for name in names}
    shares = {name: random_.uniform(0.8, 1.2) for name in names}
    whole = sum(shares.values())
    usual = {name: load * slots * shares[name] / whole / mean[name] for name in names}
    rates, service = dict(usual), dict(mean)
    chosen = random_.choice(names)
    retries = random_.uniform(0, 0.05)
    if cause == "slow_dependency":
        service[chosen] *= random_.uniform(4, 10)
    elif cause == "capacity":
        factor = random_.uniform(0.95, 1.2) / load
        usual = rates = {name: rate * factor for name, rate in rates.items()}
    elif cause == "retry_storm":
        retries = random_.uniform(0.5, 3.0)
    elif cause == "noisy_neighbour":
        rates[chosen] *= random_.uniform(8, 20)
    elif cause == "burst":
        factor = random_.uniform(2.6, 6)
        rates = {name: rate * factor for name, rate in rates.items()}
    return _observed(random_, cause, slots, rates, usual, service, mean, retries)


def _observed(
    random_: random.Random,
    cause: str,
    slots: int,
    rates: dict[str, float],
    usual: dict[str, float],
    service: dict[str, float],
    mean: dict[str, float],
    retries: float,
) -> Facts:
    demand = sum(rates[name] * service[name] for name in rates) * (1 + retries) / slots
    served = 0.0 if cause == "no_consumer" else min(1.0, 1 / demand)
    jobs, finished = [], 0
    for name in rates:
        count = round(rates[name] * served * WINDOW_S * random_.uniform(0.95, 1.05))
        finished += count
        noise = random_.uniform(0.9, 1.1)
        jobs.append(
            JobFacts(
                name,
                count,
                count * service[name] * (1 + retries),
                p95_ms=service[name] * 2500 * noise if count else None,
                baseline_p95_ms=mean[name] * 2500,
                baseline_rate=usual[name],
            )
        )
    arrivals = sum(rates.values())
    depth = max(0, round((arrivals - finished / WINDOW_S) * WINDOW_S))
    troubled = cause != "none"
    depth = max(depth, 150) if troubled else random_.randint(0, 20)
    return Facts(
        "default",
        WINDOW_S,
        finished=finished,
        failed=round(finished * random_.uniform(0, 0.03)),
        started=finished,
        starts_before=round(finished * 0.9),
        retried=round(finished * retries),
        wait_p95_ms=random_.uniform(70_000, 600_000) if troubled else random_.uniform(5, 8_000),
        jobs=tuple(jobs),
        baseline_rate=sum(usual.values()),
        depth=depth,
        oldest_due_ms=random_.uniform(60_000, 600_000) if troubled else random_.uniform(0, 900),
        growth=depth / WINDOW_S if troubled else 0.0,
        workers=0 if cause == "no_consumer" else slots // 8,
        slots=0 if cause == "no_consumer" else slots,
    )


def verdicts(seed: int, count: int = 200) -> Counter[tuple[str, str]]:
    """How often each verdict was given for each true cause."""
    random_ = random.Random(seed)
    table: Counter[tuple[str, str]] = Counter()
    for number in range(count):
        cause = CAUSES[number % len(CAUSES)]
        found = find_bottlenecks(history(random_, cause))
        table[cause, found[0].cause if found else "none"] += 1
    return table


def verdict_table(table: Counter[tuple[str, str]]) -> str:
    """The table as Markdown."""
    lines = ["| Cause | Histories | Named rightly | Otherwise |", "| --- | --- | --- | --- |"]
    for cause in CAUSES:
        total = sum(times for (truth, _), times in table.items() if truth == cause)
        wrong = [f"{said} {times}" for (truth, said), times in table.items() if truth == cause != said]
        lines.append(f"| {cause} | {total} | {table[cause, cause]} | {', '.join(wrong) or '–'} |")
    return "\n".join(lines)
