"""What is worth an alert: of a queue in the window, and of a job in its last runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from callboard.core.display import many, span
from callboard.core.health.bottlenecks import find_bottlenecks
from callboard.core.health.facts import Facts, Thresholds
from callboard.core.health.score import score

Kind = Literal["queue_health", "queue_bottleneck", "queue_backlog", "queue_slow", "job_failures"]
#: The kinds of the alerts: a low score, a critical bottleneck, too much that waits, runs that take too long,
#: and a job that fails too often.
LOW_SCORE: Final = "queue_health"
BOTTLENECK: Final = "queue_bottleneck"
BACKLOG: Final = "queue_backlog"
SLOW: Final = "queue_slow"
FAILING: Final = "job_failures"
KINDS: Final[tuple[Kind, ...]] = (LOW_SCORE, BOTTLENECK, BACKLOG, SLOW, FAILING)

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
    severity: Literal["warning", "critical"] = "warning"
    details: dict[str, Any] = field(default_factory=dict)


def queue_alarms(facts: Facts, limits: Thresholds) -> Iterator[Alarm]:
    """What is to be told of a queue."""
    name = facts.queue
    result = score(facts, limits)
    if result.value is not None and result.value < limits.score:
        because = " ".join(each.evidence for each in result.deductions)
        text = f"The health of the queue {name} is {result.value:.2f}. {because}"
        yield Alarm(LOW_SCORE, name, text, details={"score": round(result.value, 3)})
    for each in find_bottlenecks(facts, limits):
        if each.severity == "critical":
            details = {"cause": each.cause, "type": each.type}
            yield Alarm(BOTTLENECK, name, each.evidence, "critical", details)
            break
    if facts.depth > limits.waiting_jobs:
        text = f"{many(facts.depth, 'run')} wait in the queue {name}; the limit is {limits.waiting_jobs}."
        yield Alarm(BACKLOG, name, text, details={"waiting": facts.depth})
    taken = facts.duration_p95_ms or 0.0
    if facts.finished >= FEW and taken > limits.processing_ms:
        slowest = max(facts.jobs, key=lambda each: each.p95_ms or 0.0, default=None)
        which = f" The slowest are those of {slowest.job}." if slowest is not None else ""
        text = (
            f"95 % of the runs in the queue {name} take up to {span(taken)};"
            f" the limit is {span(limits.processing_ms)}.{which}"
        )
        yield Alarm(SLOW, name, text, details={"duration_p95_ms": round(taken)})


def job_alarms(recent: Iterable[Recent], limits: Thresholds) -> Iterator[Alarm]:
    """Which jobs fail too often, of those that have run often enough to tell."""
    for each in recent:
        rate = each.failed / each.finished if each.finished else 0.0
        if each.finished >= FEW and rate > limits.failure_rate:
            text = (
                f"{each.failed} of the last {each.finished} runs of {each.job} failed ({rate:.0%});"
                f" the limit is {limits.failure_rate:.0%}."
            )
            severity: Literal["warning", "critical"] = "critical" if rate >= HALF else "warning"
            details = {"finished": each.finished, "failed": each.failed}
            yield Alarm(FAILING, each.job, text, severity, details)
