"""The health of the queues: score, bottlenecks, recommendations, as of now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from callboard.control.context import Context, reaching_redis
from callboard.core.errors import NotFound
from callboard.core.health import (
    VERDICTS,
    Bottleneck,
    Facts,
    Recommendation,
    Score,
    find_bottlenecks,
    recommend,
    score,
)
from callboard.core.health.recommend import drain_s, largest_backlog
from callboard.core.health.score import REASONS
from callboard.storage.queries import jobs
from callboard.storage.queue_facts import load_facts, thresholds


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """One queue: what is known, how that is judged, and what to do.

    `drain_s` is None where the backlog does not drain, `largest_backlog` how many runs may wait within the
    objective at the present rate of arrivals.
    """

    name: str
    facts: Facts
    score: Score
    bottlenecks: tuple[Bottleneck, ...]
    recommendations: tuple[Recommendation, ...]
    drain_s: float | None
    largest_backlog: float

    @property
    def status(self) -> str:
        """In a word: `healthy`, `degraded`, `critical`, or `unknown` where too little ran to tell."""
        if any(each.severity == "critical" for each in self.bottlenecks):
            return "critical"
        if any(each.severity != "low" for each in self.bottlenecks):
            return "degraded"
        return "unknown" if self.score.value is None else "healthy"

    @property
    def verdict(self) -> str:
        """What is the matter, in a few words."""
        if self.bottlenecks:
            return VERDICTS[self.bottlenecks[0].cause]
        if self.score.value is None:
            return "Not enough data"
        worst = max(self.score.deductions, key=lambda each: each.amount, default=None)
        return "Nothing amiss" if worst is None else REASONS[worst.reason]


def queues_health(context: Context) -> tuple[QueueHealth, ...]:
    """All queues of declared jobs, by name.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    limits = thresholds(context.settings)
    with context.read() as connection, reaching_redis():
        found = load_facts(connection, context.redis, context.keys, context.settings.callboard_worker_timeout)
    judged = []
    for facts in found:
        bottlenecks = find_bottlenecks(facts, limits)
        judged.append(
            QueueHealth(
                name=facts.queue,
                facts=facts,
                score=score(facts, limits),
                bottlenecks=bottlenecks,
                recommendations=recommend(facts, bottlenecks),
                drain_s=drain_s(facts),
                largest_backlog=largest_backlog(facts, limits.wait_ms),
            )
        )
    return tuple(judged)


def queue_health(context: Context, name: str) -> QueueHealth:
    """One queue.

    Raises:
        NotFound: no declared job has a queue of that name.
        Unavailable: PostgreSQL or Redis does not answer.
    """
    found = queues_health(context)
    for each in found:
        if each.name == name:
            return each
    raise unknown_queue(name, [each.name for each in found])


def check_queue(connection: Connection, name: str) -> None:
    """See to it that there is such a queue.

    Raises:
        NotFound: no declared job has a queue of that name.
    """
    names = jobs.queues(connection)
    if name not in names:
        raise unknown_queue(name, names)


def unknown_queue(name: str, names: Sequence[str]) -> NotFound:
    """The error for a name that no queue has."""
    known = f"; there are {', '.join(names)}." if names else "."
    return NotFound(f"There is no queue named {name[:100]!r}{known}")


def worst_first(found: Sequence[QueueHealth]) -> list[QueueHealth]:
    """The queues by how badly they do; those of which too little is known come last."""
    ranks = ("critical", "degraded", "healthy", "unknown")
    return sorted(found, key=lambda each: (ranks.index(each.status), each.score.value or 0.0, each.name))


def overall(found: Sequence[QueueHealth]) -> str:
    """The word for all queues together: that of the worst."""
    said = {each.status for each in found}
    return next((word for word in ("critical", "degraded", "healthy") if word in said), "unknown")
