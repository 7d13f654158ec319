"""The health score: 1, less a capped penalty for each thing that is amiss."""

from dataclasses import dataclass
from typing import Final

from callboard.core.display import many, span
from callboard.core.health.facts import Facts, Thresholds

#: What each deduction is for, in a few words.
REASONS: Final[dict[str, str]] = {
    "wait": "Runs wait too long",
    "failures": "Runs fail",
    "growth": "The backlog",
    "speed": "Runs take too long",
    "dead_letters": "New dead letters",
    "no_consumer": "No worker serves it",
}
#: Runs that must have finished in the window before it says anything.
ENOUGH = 20
#: The most that each thing can cost.
WAIT, FAILURES, GROWTH, SPEED, DEAD = 0.35, 0.25, 0.15, 0.15, 0.10
#: The most that a queue with work due and nobody to do it can have.
UNSERVED = 0.2
#: Dead letters more in the window that cost the whole of their penalty.
MANY_DEAD = 10


@dataclass(frozen=True, slots=True)
class Deduction:
    """What one thing costs, and a sentence that says why."""

    reason: str
    amount: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Score:
    """`value` is 0 to 1, or None where too little ran to tell; then `note` says so.

    The deductions are the same in both cases; 1 less all of them is the value.
    """

    value: float | None
    deductions: tuple[Deduction, ...]
    note: str | None = None


def score(facts: Facts, limits: Thresholds = Thresholds()) -> Score:  # noqa: B008 - it is frozen
    """The health score of a queue."""
    found = [each for each in _penalties(facts, limits) if each.amount > 0]
    value = 1.0 - sum(each.amount for each in found)
    unserved = facts.workers == 0 and facts.depth > 0
    if unserved and value > UNSERVED:
        evidence = f"{facts.depth} runs are due, and no live worker serves the queue."
        found.append(Deduction("no_consumer", value - UNSERVED, evidence))
        value = UNSERVED
    if facts.finished < ENOUGH and not unserved:
        note = f"not enough data: {many(facts.finished, 'run')} finished in the window, {ENOUGH} are needed"
        return Score(None, tuple(found), note)
    return Score(max(0.0, value), tuple(found))


def _penalties(facts: Facts, limits: Thresholds) -> list[Deduction]:
    waited = (
        f"95 % of the runs, or the oldest that is due, waited up to {span(facts.wait_ms)};"
        f" the objective is {span(limits.wait_ms)}."
    )
    failed = (
        f"{facts.failed} of {facts.finished} runs failed ({facts.failure_rate:.1%});"
        f" the limit is {limits.failure_rate:.1%}."
    )
    slow = (
        f"95 % of the runs took up to {span(facts.duration_p95_ms)};"
        f" the limit is {span(limits.processing_ms)}."
    )
    grows = "growing" if facts.growth > 0 else "not growing"
    backlog = f"{facts.depth} runs wait, {grows}; the limit is {limits.waiting_jobs}."
    dead = f"There are {facts.dead_growth} dead letters more than at the beginning of the window."
    growth = _over(facts.depth, limits.waiting_jobs)
    if facts.growth > 0:
        growth = max(growth, min(1.0, facts.depth / max(1, limits.waiting_jobs)))
    return [
        Deduction("wait", WAIT * _over(facts.wait_ms, limits.wait_ms), waited),
        Deduction("failures", FAILURES * _over(facts.failure_rate, limits.failure_rate), failed),
        Deduction("growth", GROWTH * growth, backlog),
        Deduction("speed", SPEED * _over(facts.duration_p95_ms or 0.0, limits.processing_ms), slow),
        Deduction("dead_letters", DEAD * min(1.0, max(0, facts.dead_growth) / MANY_DEAD), dead),
    ]


def _over(value: float, limit: float) -> float:
    """How far beyond its limit something is: 0 up to the limit, 1 from twice the limit on."""
    if value <= limit:
        return 0.0
    return min(1.0, value / limit - 1) if limit else 1.0
