"""What is worth an alert: of a queue in the window, and of a job in its last runs."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

from callboard.core.display import many, span
from callboard.core.health.bottlenecks import find_bottlenecks
from callboard.core.health.burning import Tally, burning
from callboard.core.health.facts import Facts, Thresholds
from callboard.core.health.score import score

Kind = Literal["queue_health", "queue_bottleneck", "queue_backlog", "queue_slow", "job_failures", "burn_rate"]
Severity = Literal["warning", "critical"]
#: The kinds of the alerts: a low score, a critical bottleneck, too much that waits, runs that take too long,
#: a job whose last runs failed too often, and one that uses up what its objective allows.
LOW_SCORE: Final = "queue_health"
BOTTLENECK: Final = "queue_bottleneck"
BACKLOG: Final = "queue_backlog"
SLOW: Final = "queue_slow"
FAILING: Final = "job_failures"
BURNING: Final = "burn_rate"
OF_QUEUES: Final = frozenset({LOW_SCORE, BOTTLENECK, BACKLOG, SLOW})
OF_JOBS: Final = frozenset({FAILING, BURNING})
KINDS: Final[tuple[Kind, ...]] = (LOW_SCORE, BOTTLENECK, BACKLOG, SLOW, FAILING, BURNING)

#: Runs that must have finished before their duration, or their failures, say anything.
FEW: Final = 5
#: The share of failures from which on an alert is critical.
HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Recent:
    """What became of a job's last runs."""

    job: str
    finished: int
    failed: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to tell of; one of a kind and subject is enough."""

    kind: Kind
    subject: str
    message: str
    severity: Severity = "warning"
    details: dict[str, Any] = field(default_factory=dict)


def queue_alarms(facts: Facts, limits: Thresholds, told: Collection[str] = ()) -> Iterator[Alarm]:
    """What is to be told of a queue. `told`: jobs whose failures are told of already."""
    name = facts.queue
    bottlenecks = find_bottlenecks(facts, limits)
    why: dict[str, Any] = {"cause": bottlenecks[0].cause} if bottlenecks else {}
    if len(facts.pool) > 1:
        why["pool"] = list(facts.pool)
    known = any(each.job in told for each in facts.jobs)
    result = score(facts, limits)
    spared = sum(each.amount for each in result.deductions if known and each.reason == "failures")
    if result.value is not None and result.value + spared < limits.score:
        because = " ".join(each.evidence for each in result.deductions)
        text = f"The health of the queue {name} is {result.value:.2f}. {because}"
        yield Alarm(LOW_SCORE, name, text, details={**why, "score": round(result.value, 3)})
    for each in bottlenecks:
        if each.severity == "critical" and not (known and each.cause == "failures"):
            details = {**why, "cause": each.cause, "type": each.type}
            yield Alarm(BOTTLENECK, name, each.evidence, "critical", details)
            break
    if facts.depth > limits.waiting_jobs:
        text = f"{many(facts.depth, 'run')} wait in the queue {name}; the limit is {limits.waiting_jobs}."
        yield Alarm(BACKLOG, name, text, details={**why, "waiting": facts.depth})
    taken = facts.duration_p95_ms or 0.0
    if facts.finished >= FEW and taken > limits.processing_ms:
        slowest = max(facts.jobs, key=lambda each: each.p95_ms or 0.0, default=None)
        which = f" The slowest are those of {slowest.job}." if slowest is not None else ""
        text = (
            f"95 % of the runs in the queue {name} take up to {span(taken)};"
            f" the limit is {span(limits.processing_ms)}.{which}"
        )
        yield Alarm(SLOW, name, text, details={**why, "duration_p95_ms": round(taken)})


def job_alarms(recent: Iterable[Recent], limits: Thresholds) -> Iterator[Alarm]:
    """Which jobs fail too often, of those that have run often enough to tell."""
    for each in recent:
        rate = each.failed / each.finished if each.finished else 0.0
        if each.finished >= FEW and rate > limits.failure_rate:
            text = (
                f"{each.failed} of the last {each.finished} runs of {each.job} failed ({rate:.0%});"
                f" the limit is {limits.failure_rate:.0%}."
            )
            severity: Severity = "critical" if rate >= HALF else "warning"
            details = {"finished": each.finished, "failed": each.failed}
            yield Alarm(FAILING, each.job, text, severity, details)


def burn_alarms(tallies: Mapping[str, Mapping[timedelta, Tally]], objective: float) -> Iterator[Alarm]:
    """Which jobs fail so often that they miss their objective, by their runs in several windows."""
    for job, windows in tallies.items():
        found = burning(windows, objective)
        if found is None:
            continue
        rule = found.rule
        long, short = windows[rule.long], windows[rule.short]
        text = (
            f"{job} fails {found.rate:.1f} times as often as its objective of {objective * 100:.4g}% allows:"
            f" {long.failed} of {long.finished} runs in the last {_window(rule.long)},"
            f" {short.failed} of {short.finished} in the last {_window(rule.short)}."
        )
        details = {"burn_rate": round(found.rate, 2), "objective": objective, "failed": long.failed}
        yield Alarm(BURNING, job, text, rule.severity, details)


def _window(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    for unit, size in (("d", 1_440), ("h", 60)):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"
