"""What holds a queue up: an ordered verdict, each finding with its evidence.

High utilisation is the effect of slow dependencies, noisy neighbours, retry storms and bursts too. It is
named as the cause, too few workers, before them only where none of them explains it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from callboard.core.display import span
from callboard.core.health.facts import Facts, Thresholds
from callboard.core.health.score import ENOUGH

Type = Literal["queue_backlog", "high_failure_rate", "slow_processing", "high_wait_time"]
Severity = Literal["critical", "high", "medium", "low"]
Cause = Literal[
    "no_consumer", "paused", "breaker_open", "stalled", "limited", "slow_dependency", "noisy_neighbour",
    "retry_storm", "burst", "capacity", "failures", "slow_runs", "backlog",
]  # fmt: skip

#: The share of the threads' time from which on work is at risk of waiting.
RISKY = 0.85
LIMITED = 0.3
SLOWER = 1.5
NOISY = 0.5
RETRIED = 0.2
BURST = 2.0


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """One finding about a queue; `since` is None where it is not known."""

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
    slower = _slower(facts) if facts.finished >= ENOUGH else None
    found = [*blocked]
    if pressed and not blocked:
        found += _explained(facts, slower)
        if not found and facts.utilisation > RISKY:
            found.append(_capacity(facts))
    elif slower is not None and not blocked:
        found.append(replace(slower, severity="low"))
    found += _plain(facts, limits, {each.type for each in found})
    return tuple(replace(each, since=facts.since) if each.since is None else each for each in found)


def _blocked(facts: Facts) -> list[Bottleneck]:
    found: list[Bottleneck] = []
    if facts.workers == 0 and facts.depth:
        text = f"{facts.depth} runs are due, and no live worker serves the queue."
        found.append(Bottleneck(facts.queue, "queue_backlog", "critical", "no_consumer", text))
    if facts.paused is not None and facts.depth:
        text = f"The queue is paused ({facts.paused}), and {facts.depth} runs wait."
        found.append(Bottleneck(facts.queue, "high_wait_time", "high", "paused", text))
    if facts.breaker is not None:
        text = f"The circuit breaker {facts.breaker} is open; {facts.parked} runs are held back."
        found.append(Bottleneck(facts.queue, "high_failure_rate", "high", "breaker_open", text))
    idle = not facts.started and not facts.starts_before and facts.oldest_due_ms > facts.window_s * 1000
    if not found and facts.depth and idle:
        text = f"{facts.depth} runs are due, and none has started for two windows."
        found.append(Bottleneck(facts.queue, "queue_backlog", "critical", "stalled", text))
    return found


def _explained(facts: Facts, slower: Bottleneck | None) -> list[Bottleneck]:
    found: list[Bottleneck] = []
    held = facts.parked + facts.depth
    if facts.parked and facts.parked / held > LIMITED:
        text = f"{facts.parked} of {held} runs that wait are held back by a limit or a mutex."
        found.append(Bottleneck(facts.queue, "high_wait_time", "medium", "limited", text))
    if slower is not None:
        found.append(slower)
    noisy = max(facts.jobs, key=lambda each: each.busy_s, default=None)
    if noisy is not None and len(facts.jobs) > 1 and noisy.busy_s > NOISY * facts.busy_s:
        before = (noisy.baseline_rate or 0.0) * facts.window_s
        if noisy.finished > SLOWER * before:
            text = (
                f"The job {noisy.job} takes {noisy.busy_s / facts.busy_s:.0%} of the threads' time, at"
                f" {noisy.finished} runs in the window against {before:.0f} usually; the others wait for it."
            )
            found.append(Bottleneck(facts.queue, "high_wait_time", "high", "noisy_neighbour", text))
    if facts.finished >= ENOUGH and facts.retried > RETRIED * max(1, facts.started):
        text = f"{facts.retried} retries came with {facts.started} starts; they take the place of new work."
        found.append(Bottleneck(facts.queue, "high_failure_rate", "high", "retry_storm", text))
    if facts.baseline_rate and facts.arrivals >= BURST * facts.baseline_rate:
        times = facts.arrivals / facts.baseline_rate
        text = (
            f"Arrivals are {facts.arrivals:.3g}/s, {times:.1f} times the usual {facts.baseline_rate:.3g}/s."
        )
        found.append(Bottleneck(facts.queue, "queue_backlog", "medium", "burst", text))
    return found


def _slower(facts: Facts) -> Bottleneck | None:
    for each in sorted(facts.jobs, key=lambda each: -each.busy_s):
        if each.p95_ms and each.baseline_p95_ms and each.p95_ms >= SLOWER * each.baseline_p95_ms:
            text = (
                f"95 % of the runs of {each.job} take up to {span(each.p95_ms)},"
                f" {each.p95_ms / each.baseline_p95_ms:.1f} times the usual {span(each.baseline_p95_ms)}."
            )
            return Bottleneck(facts.queue, "slow_processing", "high", "slow_dependency", text)
    return None


def _capacity(facts: Facts) -> Bottleneck:
    text = (
        f"{facts.slots} threads were busy {facts.utilisation:.0%} of the time: arrivals"
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
        found.append(Bottleneck(facts.queue, "high_failure_rate", severity, "failures", text))
    if (facts.duration_p95_ms or 0) > limits.processing_ms:
        text = f"95 % of the runs take up to {span(facts.duration_p95_ms)}."
        found.append(Bottleneck(facts.queue, "slow_processing", "medium", "slow_runs", text))
    if facts.depth > limits.waiting_jobs:
        text = f"{facts.depth} runs wait; the limit is {limits.waiting_jobs}."
        found.append(Bottleneck(facts.queue, "queue_backlog", "medium", "backlog", text))
    elif facts.wait_ms > limits.wait_ms:
        text = f"Runs wait up to {span(facts.wait_ms)}; the objective is {span(limits.wait_ms)}."
        found.append(Bottleneck(facts.queue, "high_wait_time", "medium", "backlog", text))
    return [each for each in found if each.type not in named]
