"""What to do about what holds a queue up, with the arithmetic."""

from dataclasses import dataclass
from math import ceil

from callboard.core.display import span
from callboard.core.health.bottlenecks import Bottleneck, Cause
from callboard.core.health.facts import Facts

#: Seconds in which a backlog should be gone.
DRAIN_S = 600.0
#: The share of the threads' time that should be spent, so that work need not wait.
TARGET = 0.75

_ADVICE: dict[Cause, str] = {
    "paused": "Resume the queue when the reason for the pause is over.",
    "job_paused": "Resume the job when the reason for its pause is over.",
    "breaker_open": "See to what the breaker guards; reset the breaker once it works again.",
    "stalled": "Look at what the threads are doing: nothing starts although workers are alive.",
    "limited": "Raise the limit or shorten the runs that hold it; more workers would not help.",
    "mutex": "Shorten the runs that hold it, or let fewer runs share it; add no workers.",
    "slow_dependency": "See why the job takes longer than usual, above all what it calls; add no workers.",
    "noisy_neighbour": "Give the job a queue of its own, or a limit, so that the others need not wait.",
    "retry_storm": "See why runs fail; a longer backoff or a breaker keeps retries from taking all threads.",
    "burst": "Wait until the burst is over, or add workers for that long.",
    "failures": "See the errors of the failed runs, and whether what they call is there.",
    "slow_runs": "Profile the slowest job; split what it does into smaller runs.",
    "backlog": "Keep an eye on it: the backlog is above its limit.",
}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do; `workers` is how many processes more it takes, where that is the thing."""

    cause: Cause
    text: str
    workers: int | None = None


def recommend(facts: Facts, bottlenecks: tuple[Bottleneck, ...]) -> tuple[Recommendation, ...]:
    """What to do about each finding, in their order."""
    found = []
    verdict = bottlenecks[0] if bottlenecks else None
    for each in bottlenecks:
        if each.cause == "no_consumer":
            found.append(_start(facts))
        elif each.cause == "backlog" and verdict is not None and verdict.severity in ("critical", "high"):
            found.append(Recommendation("backlog", "It clears once the cause that is named first is gone."))
        elif each.cause in ("capacity", "burst", "backlog"):
            found.append(_add(facts, each.cause))
        else:
            found.append(Recommendation(each.cause, _ADVICE[each.cause]))
    return tuple(found)


def workers_needed(facts: Facts, threads: int, drain_s: float = DRAIN_S) -> int | None:
    """How many workers of so many threads clear the backlog in that time; None where no run tells."""
    if facts.mean_s is None:
        return None
    slots = facts.taken + (facts.arrivals + facts.depth / drain_s) * facts.mean_s / TARGET
    return max(1, ceil(slots / threads - 1e-9))


def drain_s(facts: Facts) -> float | None:
    """Seconds until the backlog is gone at the present rates; None: never, or no run tells."""
    if not facts.depth:
        return 0.0
    spare = (facts.capacity or 0.0) - facts.arrivals
    return facts.depth / spare if spare > 0 else None


def largest_backlog(facts: Facts, wait_ms: float) -> float:
    """The depth up to which runs wait no longer than that at the present rate of arrivals."""
    return facts.arrivals * wait_ms / 1000


def _start(facts: Facts) -> Recommendation:
    needed = workers_needed(facts, 8)
    if needed is None:
        return Recommendation("no_consumer", "Start a worker that serves the queue.", 1)
    they = "worker of 8 threads: it clears" if needed == 1 else "workers of 8 threads: they clear"
    text = f"Start {needed} {they} the backlog of {facts.depth} in 10 min."
    return Recommendation("no_consumer", text, needed)


def _add(facts: Facts, cause: Cause) -> Recommendation:
    threads = max(1, round(facts.slots / facts.workers)) if facts.workers else 8
    needed = workers_needed(facts, threads)
    if needed is None or facts.capacity is None:
        return Recommendation(cause, _ADVICE.get(cause, "Add workers."))
    rates = f"arrivals {facts.arrivals:.3g}/s, capacity {facts.capacity:.3g}/s"
    more = needed - facts.workers
    if more > 0:
        plural, clear = ("worker", "clears") if more == 1 else ("workers", "clear")
        text = f"{rates}: {more} more {plural} of {threads} threads {clear} the backlog in 10 min."
        return Recommendation(cause, text[0].upper() + text[1:], more)
    left = drain_s(facts)
    end = "it does not drain at these rates" if left is None else f"it drains in {span(left * 1000)}"
    return Recommendation(cause, f"{rates[0].upper()}{rates[1:]}, {facts.depth} runs wait: {end}.")
