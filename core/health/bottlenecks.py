"""What holds a queue up: an ordered verdict, each finding with its evidence.

High utilisation is the effect of slow dependencies, noisy neighbours, retry storms and bursts too. It is
named as the cause, too few workers, before them only where none of them explains it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from callboard.core.display import span
from callboard.core.health.facts import Facts, JobFacts, Minute, Thresholds
from callboard.core.health.held import HeldBack, What, held_back
from callboard.core.health.minutes import FEW, since_when
from callboard.core.health.score import ENOUGH
from callboard.core.histogram import merge, percentile

Type = Literal["queue_backlog", "high_failure_rate", "slow_processing", "high_wait_time"]
Severity = Literal["critical", "high", "medium", "low"]
Cause = Literal[
    "no_consumer", "paused", "job_paused", "breaker_open", "stalled", "limited", "mutex", "slow_dependency",
    "noisy_neighbour", "retry_storm", "burst", "capacity", "failures", "slow_runs", "backlog",
]  # fmt: skip

#: Each cause in a few words.
VERDICTS: Final[dict[Cause, str]] = {
    "no_consumer": "No worker serves it",
    "paused": "Paused",
    "job_paused": "A job is paused",
    "breaker_open": "A circuit breaker is open",
    "stalled": "Nothing starts",
    "limited": "Held back by a limit",
    "mutex": "Held back by a mutex",
    "slow_dependency": "A job has become slow",
    "noisy_neighbour": "One job takes the threads",
    "retry_storm": "Retries take the threads",
    "burst": "More arrives than usual",
    "capacity": "Too few workers",
    "failures": "Too many runs fail",
    "slow_runs": "Runs take too long",
    "backlog": "Runs wait too long",
}

#: The share of the threads' time from which on work is at risk of waiting.
RISKY = 0.85
SLOWER = 1.5
NOISY = 0.5
RETRIED = 0.2
BURST = 2.0
#: The share of the threads' time from which on a slow job of another queue is why this one waits.
SHARED = 0.3
#: Findings that are as old as the backlog.
_OF_BACKLOG: Final[frozenset[Cause]] = frozenset(
    {"no_consumer", "stalled", "limited", "mutex", "noisy_neighbour", "burst", "capacity", "backlog"}
)
#: How what holds runs back is told of.
_TOLD: Final[dict[What, tuple[Cause, Type]]] = {
    "pause": ("job_paused", "high_wait_time"),
    "breaker": ("breaker_open", "high_failure_rate"),
    "limit": ("limited", "high_wait_time"),
    "mutex": ("mutex", "high_wait_time"),
}


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """One finding about a queue; `since` is when it began, or earlier, and None where that is not known."""

    queue: str
    type: Type
    severity: Severity
    cause: Cause
    evidence: str
    since: datetime | None = None


def find_bottlenecks(facts: Facts, limits: Thresholds = Thresholds()) -> tuple[Bottleneck, ...]:  # noqa: B008
    """What holds the queue up; the first is the verdict. Empty where it is healthy."""
    blocked = _blocked(facts)
    pressed = facts.wait_ms > limits.wait_ms or facts.depth > limits.waiting_jobs
    held = [(each.much, each.spares, _of_held(facts, each, limits)) for each in held_back(facts, limits)]
    found = [*blocked, *(each for much, _, each in held if much)]
    if pressed and not blocked:
        explained = _explained(facts)
        if not explained and not any(spares for _, spares, _ in held) and facts.utilisation > RISKY:
            explained.append(_capacity(facts))
        found += explained
    elif not blocked and (slower := _slower(facts, facts.jobs)) is not None:
        found.append(replace(slower, severity="low"))
    found += [each for much, _, each in held if not much]
    found += _plain(facts, limits, {each.type for each in found})
    return tuple(
        replace(each, since=facts.since) if each.since is None and each.cause in _OF_BACKLOG else each
        for each in found
    )


def _blocked(facts: Facts) -> list[Bottleneck]:
    found: list[Bottleneck] = []
    if facts.workers == 0 and facts.depth:
        text = f"{facts.depth} runs are due, and no live worker serves the queue."
        found.append(Bottleneck(facts.queue, "queue_backlog", "critical", "no_consumer", text))
    if facts.paused is not None and facts.depth:
        text = f"The queue is paused ({facts.paused}), and {facts.depth} runs wait."
        found.append(Bottleneck(facts.queue, "high_wait_time", "high", "paused", text, facts.paused_at))
    idle = not facts.started and not facts.starts_before and facts.oldest_due_ms > facts.window_s * 1000
    if not found and facts.depth and idle and facts.taken_s <= RISKY * facts.slots * facts.window_s:
        text = f"{facts.depth} runs are due, and none has started for two windows."
        found.append(Bottleneck(facts.queue, "queue_backlog", "critical", "stalled", text))
    return found


def _of_held(facts: Facts, found: HeldBack, limits: Thresholds) -> Bottleneck:
    cause, of_type = _TOLD[found.what]
    severity: Severity = "medium"
    if found.what == "breaker":
        severity = "high"
    elif found.what == "pause" and found.runs:
        severity = "high" if found.runs > limits.waiting_jobs else "low"
    elif found.what == "pause":
        # It is over, and may have been that of the queue.
        cause = "paused"
    return Bottleneck(facts.queue, of_type, severity, cause, found.evidence, found.since)


def _explained(facts: Facts) -> list[Bottleneck]:
    found: list[Bottleneck] = []
    whole = facts.busy_s + facts.taken_s
    near = [each for each in facts.neighbours if each.busy_s > SHARED * whole]
    if (slower := _slower(facts, (*facts.jobs, *near))) is not None:
        found.append(slower)
    if (noisy := _noisy(facts, whole)) is not None:
        found.append(noisy)
    if facts.finished >= ENOUGH and facts.retried > RETRIED * max(1, facts.started):
        text = f"{facts.retried} retries came with {facts.started} starts; they take the place of new work."
        since = since_when(facts.minutes, _retrying, ENOUGH)
        found.append(Bottleneck(facts.queue, "high_failure_rate", "high", "retry_storm", text, since))
    enough = facts.arrivals * facts.window_s >= ENOUGH
    if facts.baseline_rate and enough and facts.arrivals >= BURST * facts.baseline_rate:
        times = facts.arrivals / facts.baseline_rate
        text = (
            f"Arrivals are {facts.arrivals:.3g}/s, {times:.1f} times the usual {facts.baseline_rate:.3g}/s."
        )
        found.append(Bottleneck(facts.queue, "queue_backlog", "medium", "burst", text))
    return found


def _noisy(facts: Facts, whole: float) -> Bottleneck | None:
    """The job that takes most of the threads, where it runs more often than is known to be usual."""
    everyone = (*facts.jobs, *facts.neighbours)
    noisy = max(everyone, key=lambda each: each.busy_s, default=None)
    if noisy is None or len(everyone) < 2 or noisy.busy_s <= NOISY * whole or noisy.baseline_rate is None:
        return None
    before = noisy.baseline_rate * facts.window_s
    if noisy.finished < FEW or noisy.finished <= SLOWER * before:
        return None
    text = (
        f"The job {_name(noisy)} takes {noisy.busy_s / whole:.0%} of the threads' time, at"
        f" {noisy.finished} runs in the window against {before:.0f} usually; the others wait for it."
    )
    return Bottleneck(facts.queue, "high_wait_time", "high", "noisy_neighbour", text)


def _slower(facts: Facts, jobs: Sequence[JobFacts]) -> Bottleneck | None:
    for each in sorted(jobs, key=lambda each: -each.busy_s):
        if each.finished < ENOUGH or not each.p95_ms or not each.baseline_p95_ms:
            continue
        limit = SLOWER * each.baseline_p95_ms
        if each.p95_ms >= limit:
            text = (
                f"95 % of the runs of {_name(each)} take up to {span(each.p95_ms)},"
                f" {each.p95_ms / each.baseline_p95_ms:.1f} times the usual {span(each.baseline_p95_ms)}."
            )
            own = [minute for minute in facts.minutes if minute.job == each.job and each.queue is None]
            since = since_when(own, _taking(limit))
            return Bottleneck(facts.queue, "slow_processing", "high", "slow_dependency", text, since)
    return None


def _capacity(facts: Facts) -> Bottleneck:
    others = f", with other queues' runs {facts.taken / facts.slots:.0%}" if facts.taken_s else ""
    text = (
        f"{facts.slots} threads were busy {facts.utilisation:.0%} of the time{others}: arrivals"
        f" {facts.arrivals:.3g}/s, capacity {facts.capacity or 0:.3g}/s."
    )
    severity: Severity = "critical" if facts.growth > 0 and facts.utilisation > 0.98 else "high"
    return Bottleneck(facts.queue, "queue_backlog", severity, "capacity", text)


def _plain(facts: Facts, limits: Thresholds, named: set[Type]) -> list[Bottleneck]:
    """What exceeds a threshold without that the above has named it."""
    found: list[Bottleneck] = []
    if facts.finished >= ENOUGH and facts.failure_rate > limits.failure_rate:
        severity: Severity = "critical" if facts.failure_rate >= 0.5 else "high"
        text = f"{facts.failed} of {facts.finished} runs failed ({facts.failure_rate:.1%})."
        since = since_when(facts.minutes, _failing(limits.failure_rate), ENOUGH)
        found.append(Bottleneck(facts.queue, "high_failure_rate", severity, "failures", text, since))
    if (facts.duration_p95_ms or 0) > limits.processing_ms:
        text = f"95 % of the runs take up to {span(facts.duration_p95_ms)}."
        since = since_when(facts.minutes, _taking(limits.processing_ms))
        found.append(Bottleneck(facts.queue, "slow_processing", "medium", "slow_runs", text, since))
    if facts.depth > limits.waiting_jobs:
        text = f"{facts.depth} runs wait; the limit is {limits.waiting_jobs}."
        found.append(Bottleneck(facts.queue, "queue_backlog", "medium", "backlog", text))
    elif facts.wait_ms > limits.wait_ms:
        text = f"Runs wait up to {span(facts.wait_ms)}; the objective is {span(limits.wait_ms)}."
        found.append(Bottleneck(facts.queue, "high_wait_time", "medium", "backlog", text))
    return [each for each in found if each.type not in named]


def _name(job: JobFacts) -> str:
    return job.job if job.queue is None else f"{job.job} (queue {job.queue})"


def _retrying(minutes: Sequence[Minute]) -> bool:
    started = sum(each.started for each in minutes)
    return sum(each.retried for each in minutes) > RETRIED * max(1, started)


def _failing(rate: float) -> Callable[[Sequence[Minute]], bool]:
    def amiss(minutes: Sequence[Minute]) -> bool:
        return sum(each.failed for each in minutes) > rate * sum(each.finished for each in minutes)

    return amiss


def _taking(limit_ms: float) -> Callable[[Sequence[Minute]], bool]:
    def amiss(minutes: Sequence[Minute]) -> bool:
        return (percentile(merge(*(each.duration for each in minutes)), 0.95) or 0.0) >= limit_ms

    return amiss
