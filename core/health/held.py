"""What holds runs back on purpose: a pause, a breaker, a limit, a mutex; and how much of the wait that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from callboard.core.display import many
from callboard.core.health.facts import Facts, Held, Thresholds
from callboard.core.holds import Cause

What = Literal["pause", "breaker", "limit", "mutex"]
#: The share of what waits, or of the time that runs waited, from which on what holds them back is the cause.
LIMITED = 0.3
#: The causes of each; the overlap policy lets runs wait for a mutex.
_CAUSES: Final[dict[What, tuple[Cause, ...]]] = {
    "pause": ("pause",),
    "breaker": ("breaker",),
    "limit": ("limit",),
    "mutex": ("mutex", "overlap"),
}
_WORDS: Final[dict[What, tuple[str, str]]] = {
    "pause": ("by the pause of the job", "pauses"),
    "breaker": ("by the open circuit breaker", "open circuit breakers"),
    "limit": ("by the limit", "limits"),
    "mutex": ("by the mutex", "mutexes or the overlap policy"),
}


@dataclass(frozen=True, slots=True)
class HeldBack:
    """One of these: how many runs it holds back, whether that is much of what waits, and a sentence.

    `spares` says that more threads would not help.
    """

    what: What
    runs: int
    much: bool
    spares: bool
    evidence: str
    since: datetime | None = None


def held_back(facts: Facts, limits: Thresholds) -> Iterator[HeldBack]:
    """What holds runs of a queue back, pauses and breakers first.

    A limit or a mutex is meant to hold back, and is told of only where much waits for it for too long; pauses
    are not where the queue is paused itself.
    """
    waiting = facts.depth + max(facts.parked, sum(each.runs for each in facts.held))
    late = facts.wait_ms > limits.wait_ms
    pressed = late or max(facts.depth, facts.parked) > limits.waiting_jobs
    for what, causes in _CAUSES.items():
        lots = sorted((each for each in facts.held if each.cause in causes), key=lambda each: -each.runs)
        runs = sum(each.runs for each in lots)
        spent = sum(facts.held_ms.get(cause, 0.0) for cause in causes)
        lately = late and spent > LIMITED * facts.waited_ms
        much = lately or runs > LIMITED * waiting
        meant = what in ("limit", "mutex")
        if what == "pause" and facts.paused is not None:
            continue
        if not (much and pressed if meant else runs or lately):
            continue
        evidence = _now(what, lots, runs, waiting) if runs else _lately(what, spent / facts.waited_ms)
        since = min((each.since for each in lots if each.since is not None), default=None)
        yield HeldBack(what, runs, much, lately or (meant and much), evidence, since)


def _now(what: What, lots: list[Held], runs: int, waiting: int) -> str:
    by, _ = _WORDS[what]
    more = f" and {many(len(lots) - 1, 'other')}" if len(lots) > 1 else ""
    wait, are = "waits" if waiting == 1 else "wait", "is" if runs == 1 else "are"
    return f"{runs} of {many(waiting, 'run')} that {wait} {are} held back {by} {lots[0].name}{more}."


def _lately(what: What, share: float) -> str:
    return f"{share:.0%} of the time that runs waited they were held back by {_WORDS[what][1]}."
